// How many things are chosen, choosing all that is left over at once, and where the page was refused.

const boxes = (form) => [...form.querySelectorAll('[name="chosen"]')];

function counted(chosen) {
  const kinds = new Map();
  for (const box of chosen) kinds.set(box.dataset.kind, (kinds.get(box.dataset.kind) ?? 0) + 1);
  return [...kinds].map(([kind, count]) => `${count} ${kind}${count === 1 ? "" : "s"}`).join(", ");
}

function show(form) {
  const chosen = boxes(form).filter((box) => box.checked);
  const most = Number(form.dataset.most);
  const full = chosen.length >= most ? ` ${most} at a time is the most.` : "";
  form.querySelector("[data-count]").textContent = chosen.length ? `Chosen: ${counted(chosen)}.${full}` : "Nothing is chosen.";
  const what = chosen.length === 1 ? "1 thing" : `${chosen.length} things`;
  form.querySelector("[data-delete]").textContent = chosen.length ? `Delete ${what} for good` : "Delete what is chosen";
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-choose]")?.dataset.choose;
  if (!choice) return;
  const form = event.target.closest("form");
  // In order of removal, and no more than one clean-up takes.
  let room = Number(form.dataset.most);
  for (const box of boxes(form)) {
    const meant = choice === "all" || (choice === "left" && box.hasAttribute("data-left"));
    box.checked = meant && room-- > 0;
  }
  show(form);
});
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("[data-cleanup]");
  if (form) show(form);
});
document.addEventListener("htmx:afterSettle", () => document.querySelectorAll("[data-cleanup]").forEach(show));
document.querySelectorAll("[data-cleanup]").forEach(show);
// A long list lies above what was refused.
document.querySelector("[data-cleanup] :is(.is-invalid, [data-wrong])")?.focus();
