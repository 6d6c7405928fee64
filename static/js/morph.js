// Turns one element into another in place, so that focus, scroll, open menus and typed text survive.
const OPEN_MENU = ["class", "aria-expanded", "style", "data-popper-placement"];

function keeps(element, name) {
  if (name === "open") return element.matches("details, dialog");
  return OPEN_MENU.includes(name) && element.matches("[data-bs-toggle].show, .dropdown-menu.show");
}

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !keeps(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !keeps(old, name)) old.setAttribute(name, value);
  }
}

function alike(old, fresh) {
  return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && (old.id || "") === (fresh.id || "");
}

export function morphChildren(old, fresh) {
  let current = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    let match = current;
    while (match && !alike(match, wanted)) match = match.nextSibling;
    if (!match) { old.insertBefore(wanted, current); continue; }
    while (current !== match) { const next = current.nextSibling; current.remove(); current = next; }
    current = match.nextSibling;
    morph(match, wanted);
  }
  while (current) { const next = current.nextSibling; current.remove(); current = next; }
}

export function morph(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.isEqualNode(fresh)) return;
  attributes(old, fresh);
  if (!old.matches("textarea, select")) morphChildren(old, fresh);
}
