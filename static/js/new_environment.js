// Choosing a template fills in its number of managers and its MTU.
const form = document.querySelector("[data-new-environment]");
form?.addEventListener("change", ({ target }) => {
  if (target.name !== "template") return;
  form.elements.managers.value = target.dataset.managers;
  form.elements.mtu.value = target.dataset.mtu;
});
