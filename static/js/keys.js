// Keys, dialogs, toasts and copy buttons: the small things every page shares.
const LEAVE_AFTER = 8000;
let waitingForSection = 0;

function typing(target) {
  return target.matches?.("input, textarea, select, [contenteditable]") || document.querySelector("dialog[open]");
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && event.target.matches?.("[data-search]")) event.target.blur();
  if (typing(event.target)) return;
  const section = Date.now() - waitingForSection < 1500 && document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
  waitingForSection = 0;
  if (section) section.click();
  else if (event.key === "/") document.querySelector("[data-search]")?.focus();
  else if (event.key === "?") document.getElementById("keys")?.showModal();
  else if (event.key === "e") document.querySelector(".frame-switcher button")?.click();
  else if (event.key === "g") { waitingForSection = Date.now(); return; }
  else return;
  event.preventDefault();
}

async function copy(button) {
  const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
  const text = source ? source.value ?? source.textContent : button.dataset.copy;
  await writeClipboard(text);
  const icon = button.querySelector(".ti-copy");
  icon?.classList.replace("ti-copy", "ti-check");
  document.getElementById("announcer").textContent = "Copied.";
  setTimeout(() => icon?.classList.replace("ti-check", "ti-copy"), 1500);
}

export async function writeClipboard(text) {
  // Plain http on another machine has no clipboard interface, and a browser may refuse it.
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  if (done) return;
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
  (document.fullscreenElement ?? document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function onClick(event) {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  event.target.closest("[data-dialog-close]")?.closest("dialog").close();
  if (event.target.matches("dialog")) event.target.close(); // a click on the backdrop
  event.target.closest("[data-toast-close]")?.closest(".toast").remove();
  const copier = event.target.closest("[data-copy], [data-copy-from]");
  if (copier) copy(copier);
  const picked = event.target.closest("[data-select-all]");
  if (picked) picked.select();
}

// A form that comes back refused is at the field to mend, not at the top of the page.
function toFirstRefused() {
  const refused = document.querySelector("main [aria-invalid=true]");
  if (!refused || document.querySelector("main [autofocus]")) return;
  refused.focus({ preventScroll: true });
  refused.scrollIntoView({ block: "center" });
}

function onSubmit(event) {
  // A second press must not send the form twice; the browser's "back" finds it usable again.
  const button = event.submitter;
  if (event.defaultPrevented || !button || event.target.method === "get") return;
  setTimeout(() => { button.disabled = true; });
  setTimeout(() => { button.disabled = false; }, 10000);
}

// Takes a toast away after a while, but not from under a hand or the keyboard's focus.
export function leaveLater(toast) {
  const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
  setTimeout(leave, LEAVE_AFTER);
}

document.querySelectorAll('[data-toast="leave"]').forEach((toast) => { if (!toast.closest("[hidden]")) leaveLater(toast); });
toFirstRefused();
document.addEventListener("keydown", onKey);
document.addEventListener("click", onClick);
document.addEventListener("submit", onSubmit);
document.querySelector(".frame-tab.active")?.scrollIntoView({ inline: "center", block: "nearest" });
