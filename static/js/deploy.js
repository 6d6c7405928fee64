// The deploy form: files are read into their fields, and a finding leads to its line.
const form = document.querySelector("[data-deploy]");
const compose = document.getElementById("id_compose");
const LARGEST = 500000;

function preview() {
  form.dispatchEvent(new CustomEvent("preview"));
}

async function read(input) {
  const file = input.files[0];
  const field = document.getElementById(input.dataset.readInto);
  if (!file) return;
  if (file.size > LARGEST) {
    document.getElementById(field.name + "-error").textContent = `The file has ${file.size} bytes; ${LARGEST} is the most.`;
    return;
  }
  field.value = await file.text();
  input.value = "";
  preview();
}

function showLine(number) {
  const lines = compose.value.split("\n");
  const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
  compose.focus();
  compose.setSelectionRange(start, start + (lines[number - 1] || "").length);
  const height = compose.scrollHeight / Math.max(1, lines.length);
  compose.scrollTop = Math.max(0, height * (number - 4));
}

// "external: true" (or a block of it) under the network goes; the stack then makes the network itself.
function ownNetwork(name) {
  const lines = compose.value.split("\n");
  const kept = [];
  let section = false, network = -1, block = -1;
  for (const line of lines) {
    const indent = line.search(/\S/);
    const text = line.trim();
    if (indent === 0) { section = text.startsWith("networks:"); network = -1; }
    else if (section && indent > -1) {
      if (network < 0 || indent <= network) network = text.replace(/["']/g, "") === `${name}:` ? indent : -1;
      if (block >= 0 && indent > block) continue;
      block = -1;
      if (network >= 0 && indent > network && text.startsWith("external:")) {
        block = text === "external:" ? indent : -1;
        kept.push(`${" ".repeat(indent)}attachable: true`);
        continue;
      }
    }
    kept.push(line);
  }
  compose.value = kept.join("\n");
  preview();
}

if (form) {
  form.addEventListener("change", (event) => { if (event.target.dataset.readInto) read(event.target); });
  form.addEventListener("click", (event) => {
    const line = event.target.closest("[data-line]");
    const network = event.target.closest("[data-own-network]");
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
  deploy.addEventListener("htmx:afterRequest", () => { deploying = false; });
  // Typing in a file field is no change of the text; only real fields ask for a preview.
  form.addEventListener("input", (event) => { if (event.target.type === "file") event.stopPropagation(); }, true);
}
