// Runs before the first paint: light or dark as the user chose, else as the system says.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => localStorage.getItem("theme") || "auto";
  const show = () => {
    const theme = chosen() === "auto" ? (system.matches ? "dark" : "light") : chosen();
    document.documentElement.dataset.bsTheme = theme;
    for (const button of document.querySelectorAll("[data-set-theme]")) {
      const pressed = button.dataset.setTheme === chosen();
      button.classList.toggle("active", pressed);
      button.setAttribute("aria-pressed", pressed);
    }
  };
  show();
  system.addEventListener("change", show);
  addEventListener("storage", show);
  document.addEventListener("DOMContentLoaded", show);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-set-theme]");
    if (!button) return;
    event.stopPropagation();
    localStorage.setItem("theme", button.dataset.setTheme);
    show();
  });
})();
