// Applies what the server pushes to the page (see the live protocol in docs), or polls when websockets are blocked.
import { connect } from "./socket.js";
import { morph, morphChildren } from "./morph.js";
import { refresh } from "./times.js";

const POLL_EVERY = 5000;
const WORDS = {
  connecting: "Connecting", open: "Live", lost: "Reconnecting", blocked: "Every 5 s", ended: "Finished", full: "Not live",
};
const page = document.querySelector("[data-live-socket]");
const sign = document.getElementById("live-sign");
const banner = document.getElementById("live-banner");
const announcer = document.getElementById("announcer");
let cursor = null, polling = 0, live = null;

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

function announce(before) {
  const said = [];
  for (const [name, word] of states()) if (before.has(name) && before.get(name) !== word) said.push(`${name}: ${word}`);
  if (said.length) announcer.textContent = said.join(". ");
}

function states() {
  return new Map([...page.querySelectorAll("[data-announce]")].map((e) => [e.dataset.announce, e.textContent.trim()]));
}

export function apply(message) {
  const before = states();
  document.dispatchEvent(new CustomEvent("live:before", { detail: message }));
  for (const html of message.replace || []) {
    const fresh = parse(html).firstElementChild;
    const old = fresh && document.getElementById(fresh.id);
    if (old) morph(old, fresh);
  }
  for (const [id, html] of Object.entries(message.contents || {})) {
    const old = document.getElementById(id);
    if (old) morphChildren(old, parse(html));
  }
  for (const [id, html] of Object.entries(message.append || {})) {
    const container = document.getElementById(id);
    if (!container) continue;
    const fresh = parse(html);
    for (const element of [...fresh.children]) if (element.id && document.getElementById(element.id)) element.remove();
    container.append(fresh);
  }
  for (const id of message.remove || []) document.getElementById(id)?.remove();
  refresh(page);
  announce(before);
  document.dispatchEvent(new CustomEvent("live:applied", { detail: message }));
}

function address() {
  const url = new URL(page.dataset.liveSocket, location.href);
  if (cursor !== null) url.searchParams.set("after", cursor);
  return url.pathname + url.search;
}

function show(state) {
  if (!sign) return;
  sign.dataset.state = state;
  sign.querySelector(".live-word").textContent = WORDS[state];
}

async function poll() {
  let answer;
  try {
    answer = await fetch(location.href, { headers: { "X-Polling": "1" }, credentials: "same-origin" });
  } catch {
    show("lost"); // the platform itself does not answer: not the proxy's fault
    banner.hidden = true;
    return;
  }
  if (answer.redirected || [401, 403, 404].includes(answer.status)) { location.reload(); return; }
  if (!answer.ok) { show("lost"); return; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const replace = [...document.querySelectorAll("[data-live][id]")]
    .map((old) => fresh.getElementById(old.id)?.outerHTML).filter(Boolean);
  apply({ replace });
  show("blocked");
  banner.hidden = false;
}

function onState(state, reason) {
  if (state === "gone") { location.reload(); return; }
  if (state === "blocked" && !polling) { poll(); polling = setInterval(poll, POLL_EVERY); return; }
  if (state === "blocked") return;
  clearInterval(polling);
  polling = 0;
  banner.hidden = state !== "full";
  if (state === "full") banner.querySelector("[data-live-words]").textContent = reason;
  show(state);
}

function onMessage(message) {
  if (message.last !== undefined) cursor = message.last;
  apply(message);
  if (message.done) live.close();
}

if (page) live = connect({ address, onMessage, onState });
// A script changed what the page shows, and with it the address to listen at.
document.addEventListener("live:moved", () => { cursor = null; live?.reopen(); });
