// The token of forms changes when somebody signs in in another tab. A page that comes back asks for it anew, and what
// was refused for it is asked once more: nothing that was typed is lost.
async function renewed() {
  const answer = await fetch(document.body.dataset.token, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) return false;
  const { token } = await answer.json();
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  return true;
}

addEventListener("pageshow", (event) => { if (event.persisted) renewed(); });
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") renewed(); });

let repeating = null;
document.body.addEventListener("htmx:responseError", async ({ detail }) => {
  const refused = detail.xhr.status === 403 && detail.xhr.getResponseHeader("X-Form-Token") === "refused";
  // Asked once more only: what is refused with the new token too stays refused.
  if (!refused || repeating === detail.elt) return;
  repeating = detail.elt;
  const { verb, path, target } = detail.requestConfig;
  try {
    if (await renewed()) await htmx.ajax(verb, path, { source: detail.elt, target });
  } catch {
    // The page itself took the request back: somebody types on.
  } finally {
    repeating = null;
  }
});
