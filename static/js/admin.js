// Lets the widgets of the admin site work without inline styles: Content-Security-Policy refuses the style
// attribute when it is set as text, and allows the same through the object model.
(() => {
  const set = Element.prototype.setAttribute;
  Element.prototype.setAttribute = function (name, value) {
    if (String(name).toLowerCase() === "style" && this.style) this.style.cssText = value;
    else set.call(this, name, value);
  };
  if (window.htmx) Object.assign(window.htmx.config, { includeIndicatorStyles: false, allowEval: false });
})();

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  // Without a secure address there is no clipboard; the text is selected for Ctrl+C then.
  if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
  button.textContent = navigator.clipboard ? "Copied" : "Selected";
});
