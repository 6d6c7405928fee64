// Security keys and passkeys: offered only where the browser has them, and what goes wrong is said on the page.
const WORDS = {
  NotAllowedError: "Nothing was signed: the browser's question was closed, or it took too long.",
  InvalidStateError: "This key is known here already.",
  SecurityError: "The browser allows keys on https and on localhost only, and not on a bare IP address.",
};

const able = Boolean(window.PublicKeyCredential && navigator.credentials);
for (const element of document.querySelectorAll("[data-needs-passkeys]")) element.hidden = !able;
for (const element of document.querySelectorAll("[data-lacks-passkeys]")) element.hidden = able;

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const { exception } = event.detail;
  const text = WORDS[exception.name] ?? "The key can't be used here. Try again, or choose another way.";
  const place = document.querySelector("form:has([id^='passkey'], [id^='mfa_webauthn']), main");
  const said = place.querySelector("[data-key-error]") ?? document.createElement("div");
  said.dataset.keyError = "";
  said.className = "alert alert-danger mt-3 mb-0";
  said.setAttribute("role", "alert");
  said.textContent = text;
  place.append(said);
});
