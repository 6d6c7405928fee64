// The deploy form: files are read into their fields, a finding leads to its line, and what one typed is not lost.
import { withOwnNetwork } from "./own_network.js";

const form = document.querySelector("[data-deploy]");
const LARGEST = 500000;

function preview() {
  form.dispatchEvent(new CustomEvent("preview"));
}

function refuse(field, sentence) {
  const error = document.getElementById(field.name + "-error") || document.getElementById(field.id + "-error");
  error.textContent = sentence;
}

function asText(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

function asBase64(bytes) {
  let letters = "";
  for (let n = 0; n < bytes.length; n += 0x8000) letters += String.fromCharCode(...bytes.subarray(n, n + 0x8000));
  return btoa(letters);
}

// A text field would change other line ends, and takes no bytes that are no text: those go along beside it.
async function read(input) {
  const file = input.files[0];
  const field = document.getElementById(input.dataset.readInto);
  const beside = document.getElementById(field.id + "-binary");
  if (!file) return;
  const largest = Number(input.dataset.largest || LARGEST);
  const bytes = file.size > largest ? null : new Uint8Array(await file.arrayBuffer());
  input.value = "";
  if (!bytes) return refuse(field, `The file has ${file.size} bytes; ${largest} is the most.`);
  if (beside && !bytes.length) return refuse(field, "The file is empty.");
  const text = asText(bytes);
  const whole = text !== null && !(beside && /[\r\0]/.test(text));
  if (!whole && !beside) return refuse(field, "The file is no text in UTF-8.");
  field.value = whole ? text : "";
  if (beside) beside.value = whole ? "" : asBase64(bytes);
  preview();
}

// What one types counts instead of the file.
function takeAway(id) {
  const beside = document.getElementById(id + "-binary");
  if (beside) beside.value = "";
}

function select(number) {
  const compose = document.getElementById("id_compose");
  const lines = compose.value.split("\n");
  const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
  compose.focus();
  compose.setSelectionRange(start, start + (lines[number - 1] || "").length);
  const height = compose.scrollHeight / Math.max(1, lines.length);
  compose.scrollTop = Math.max(0, height * (number - 4));
}

function showLine(number) {
  if (document.getElementById("id_compose")) return select(number);
  // The recipe's own file is only shown.
  const shown = document.getElementById("compose-text");
  if (!shown) return;
  document.getElementById("compose-fold").open = true;
  shown.focus();
  const text = shown.firstChild, lines = shown.textContent.split("\n");
  const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
  getSelection().setBaseAndExtent(text, start, text, start + (lines[number - 1] || "").length);
  shown.scrollTop = Math.max(0, (shown.scrollHeight / lines.length) * (number - 4));
}

function reveal(button) {
  const field = document.getElementById(button.dataset.reveal);
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
}

// The server sends no secret back: what stands in such a field is put into the one that takes its place.
const typed = new Map();
const secrets = () => [...form.querySelectorAll("[data-secret]")];

function remember() {
  typed.clear();
  for (const field of secrets()) typed.set(field.name, field.value);
}

function restore() {
  let changed = false;
  for (const field of secrets()) {
    const before = typed.get(field.name);
    if (before && !field.value) { field.value = before; changed = true; }
  }
  if (changed) preview();
}

// Screen readers hear what changed, and not the whole preview at each pause in typing.
function announce() {
  const words = (css) => (document.querySelector(css)?.textContent || "").replace(/\s+/g, " ").trim();
  const count = (icon, one) => {
    const number = document.querySelectorAll(`#preview .problems .${icon}`).length;
    return number ? `${number} ${one}${number > 1 ? "s" : ""}` : "";
  };
  const found = [words("#preview .card-header .status"), words("#preview .alert"), count("text-red", "error"), count("text-orange", "danger"), count("text-yellow", "warning")];
  const said = found.filter(Boolean).join(", ");
  const place = document.getElementById("preview-said");
  if (place.textContent !== said) place.textContent = said;
}

function toFirstError() {
  const error = [...form.querySelectorAll(".invalid-feedback")].find((one) => one.textContent.trim());
  const field = error && form.querySelector(`[aria-describedby~="${CSS.escape(error.id)}"]:not([type="hidden"])`);
  if (!field) {
    // On a phone what the preview says may be out of sight.
    document.querySelector("#preview .problems, #preview .alert")?.scrollIntoView({ block: "center" });
    return;
  }
  field.closest("details")?.setAttribute("open", "");
  field.focus();
  field.scrollIntoView({ block: "center" });
}

function ownNetwork(name) {
  const compose = document.getElementById("id_compose");
  compose.value = withOwnNetwork(compose.value, name);
  preview();
}

if (form) {
  form.addEventListener("change", (event) => { if (event.target.dataset.readInto) read(event.target); });
  form.addEventListener("click", (event) => {
    const line = event.target.closest("[data-line]");
    const network = event.target.closest("[data-own-network]");
    const button = event.target.closest("[data-reveal]");
    const file = event.target.closest("[data-take-away]");
    if (button) reveal(button);
    if (file) {
      takeAway(file.dataset.takeAway);
      document.getElementById(file.dataset.takeAway).focus();
      preview();
    }
    if (line) showLine(Number(line.dataset.line));
    if (network) ownNetwork(network.dataset.ownNetwork);
  });
  // A preview that typing asked for must not take the place of the deployment that was asked for since.
  const deploy = form.querySelector("button[type=submit]");
  let deploying = false;
  form.addEventListener("htmx:confirm", (event) => {
    if (event.detail.elt === deploy) deploying = true;
    else if (deploying) event.preventDefault();
  });
  let asked = false;
  deploy.addEventListener("htmx:afterRequest", () => { deploying = false; asked = true; });
  form.addEventListener("htmx:beforeSwap", remember);
  form.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.id !== "preview") return;
    restore();
    announce();
    if (asked) toFirstError();
    asked = false;
  });
  // A request that failed would leave its spinner turning for ever.
  const failed = () => {
    document.getElementById("unanswered-place").replaceChildren(document.getElementById("unanswered").content.cloneNode(true));
    document.getElementById("plan").replaceChildren();
  };
  for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) form.addEventListener(kind, failed);
  form.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status < 400) document.getElementById("unanswered-place").replaceChildren();
  });
  form.addEventListener("input", (event) => { if (event.target.matches("textarea")) takeAway(event.target.id); });
  // Typing in a file field is no change of the text; only real fields ask for a preview.
  form.addEventListener("input", (event) => { if (event.target.type === "file") event.stopPropagation(); }, true);
}
