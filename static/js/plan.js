// A plan that comes by itself: a request that failed would leave its spinner turning for ever.
const plan = document.querySelector("[data-plan]");

if (plan) {
  const failed = () => plan.replaceChildren(document.getElementById("unanswered").content.cloneNode(true));
  for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) plan.addEventListener(kind, failed);
}
