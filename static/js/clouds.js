// Of the form of a new cloud account only those fields are shown that its way of signing in takes, or that are wrong.

const form = document.querySelector("[data-cloud-form]");

function show() {
  const way = form.elements.way.value;
  for (const part of form.querySelectorAll("[data-ways]")) {
    const wrong = [...part.querySelectorAll(".invalid-feedback")].some((said) => said.textContent.trim());
    part.hidden = !wrong && !part.dataset.ways.split(" ").includes(way);
  }
  const more = form.querySelector("[data-more]");
  if (more.querySelector(".invalid-feedback").textContent.trim()) more.open = true;
}

function settled() {
  show();
  const wrong = [...form.querySelectorAll(".late-error")].find((said) => said.textContent.trim());
  wrong?.previousElementSibling?.querySelector("input, select, textarea")?.focus();
}

if (form) {
  form.addEventListener("change", show);
  document.body.addEventListener("htmx:afterSettle", settled);
  document.body.addEventListener("htmx:afterRequest", settled);
  show();
}
