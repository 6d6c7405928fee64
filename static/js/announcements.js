// Puts an operator's announcement away until the browser is closed: a cookie without an end tells the server.
const away = () => document.cookie.split("; ").find((one) => one.startsWith("announcements="))?.split("=")[1] || "";

document.addEventListener("click", (event) => {
  const banner = event.target.closest(".btn-close")?.closest("[data-announcement]");
  if (!banner) return;
  const marks = [...away().split("_").filter(Boolean), banner.dataset.announcement].slice(-20);
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `announcements=${marks.join("_")}; path=/; samesite=lax${secure}`;
  banner.remove();
});
