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

const repeated = new WeakSet();
document.body.addEventListener("htmx:responseError", async ({ detail }) => {
  const refused = detail.xhr.status === 403 && detail.xhr.getResponseHeader("X-Form-Token") === "refused";
  if (!refused || repeated.has(detail.elt)) return;
  repeated.add(detail.elt);
  const { verb, path, target } = detail.requestConfig;
  if (await renewed()) htmx.ajax(verb, path, { source: detail.elt, target });
});
document.body.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.successful) repeated.delete(detail.elt); });
