// Tells of operations that ended while one was looking at something else: a toast, and a word to screen readers.
import { connect } from "./socket.js";
import { leaveLater } from "./keys.js";

const SHOWN = 4;
const KEPT = 50;
const AWAY_MS = 30000;
const holder = document.getElementById("notices");
const toasts = document.getElementById("toasts-live");
const announcer = document.getElementById("announcer");
const socket = holder?.dataset.notices;
const loaded = Date.parse(document.documentElement.dataset.now);
const told = new Set(JSON.parse(sessionStorage.getItem("told") ?? "[]"));
// What ended while this tab went from one page to the next is told on the next.
const left = Number(sessionStorage.getItem(`left ${socket}`));
const since = left && loaded - left < AWAY_MS ? Math.min(left, loaded) : loaded;

function tell(notice) {
  if (told.has(notice.id) || Date.parse(notice.dataset.ended) <= since) return "";
  told.add(notice.id);
  // Whoever watches the operation itself sees how it ended.
  if (notice.querySelector("a").getAttribute("href") === location.pathname) return "";
  const toast = notice.cloneNode(true);
  toast.removeAttribute("id");
  toasts.append(toast);
  if (toast.dataset.toast === "leave") leaveLater(toast);
  while (toasts.childElementCount > SHOWN) toasts.firstElementChild.remove();
  return notice.dataset.said;
}

function look(within) {
  const said = [...within.querySelectorAll("[data-ended]")].map(tell).filter(Boolean);
  sessionStorage.setItem("told", JSON.stringify([...told].slice(-KEPT)));
  if (said.length) setTimeout(() => { announcer.textContent = said.join(" "); }, 200);
}

function onMessage(message) {
  const fresh = document.createElement("template");
  fresh.innerHTML = (message.contents?.notices ?? "") + (message.append?.notices ?? "");
  look(fresh.content);
}

if (holder) {
  const live = document.querySelector("[data-live-socket]")?.dataset.liveSocket ?? "";
  look(holder);
  document.addEventListener("live:applied", () => look(holder));
  // Pages with rows of the environment hear of notices with them; forms, logs and operations by a socket of their own.
  if (!live.startsWith("/ws/environments/")) {
    let cursor = "";
    const own = connect({
      address: () => socket + (cursor && `&after=${encodeURIComponent(cursor)}`),
      onMessage: (message) => { cursor = message.last ?? cursor; onMessage(message); },
      onState: (state) => { if (state === "blocked") own.close(); },
    });
  }
  addEventListener("pagehide", () => {
    const [page] = performance.getEntriesByType("navigation");
    sessionStorage.setItem(`left ${socket}`, loaded + performance.now() - (page?.responseStart ?? 0) - 1000);
  });
}
