// After a search the page shows another part of the list: live changes have to follow it there.
document.addEventListener("htmx:afterSettle", () => {
  const listing = document.getElementById("listing");
  const page = document.querySelector("[data-live-socket]");
  const address = listing?.dataset.liveUrl;
  if (!address || !page || page.dataset.liveSocket === address) return;
  page.dataset.liveSocket = address;
  document.dispatchEvent(new CustomEvent("live:moved"));
});

// Buttons that arrive live send their requests too.
document.addEventListener("live:applied", () => window.htmx?.process(document.body));
