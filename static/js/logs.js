// The log viewer: follows, holds when one scrolls up or pauses, filters, searches, copies and downloads.
import { connect } from "./socket.js";
import { writeClipboard } from "./keys.js";
import { Buffer } from "./log/buffer.js";
import { DRAWN, Screen, asText } from "./log/draw.js";
import { parseFilter } from "./log/filter.js";
import { LEVELS, levelOf } from "./log/read.js";

const BUFFERED = 50000;
const FRAME_MS = 8;
const COLOURS = 12;
const OVERLAP_MS = 60000;
const GATHER_MS = 300, LONGEST_GATHER_MS = 1500;
const SPEAKS = {
  connecting: "Connecting", open: "Following", lost: "Reconnecting", ended: "Ended", gone: "Gone",
  blocked: "Logs are blocked: the proxy in front of the platform does not pass on websockets (the Upgrade header is missing).",
};
const viewer = document.querySelector("[data-logs]");
const part = (name) => viewer.querySelector(`[data-log-${name}]`);
const scroller = part("screen");
const lines = new Buffer(BUFFERED);
const screen = new Screen(part("lines"));
const sources = new Map(); // by task id; the server's numbers change with every connection
let numbered = [], next = 0, heldAt = null, paused = false, following = true, lastTop = 0, frame = 0;
let early = [], gathering = 0, since = 0, heard = 0; // what came first, before it is in order; null once it is
let passes = () => true, lowest = -1, live = null, marks = -1, place = null;

const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 30;
const held = () => paused || !following;

function shows(entry) {
  if (entry.note) return true;
  if (entry.source.hidden) return false;
  if (lowest >= 0 && LEVELS.indexOf(levelOf(entry.text)) < lowest) return false;
  return passes(entry.text);
}

function draw() {
  frame = 0;
  const end = heldAt ?? lines.end;
  const started = performance.now();
  // What would be cut at once is not drawn at all; this keeps the page usable at any rate of lines.
  next = Math.max(next, lines.first, passesAll() ? end - DRAWN : 0);
  const fresh = [];
  while (next < end && performance.now() - started < FRAME_MS) {
    for (let n = 0; n < 100 && next < end; n += 1) {
      const entry = lines.get(next++);
      if (shows(entry)) fresh.push(entry);
    }
  }
  // What somebody reads is not taken away; it leaves when the viewer follows again.
  if (fresh.length) screen.add(fresh, held());
  if (!held()) toEnd();
  else if (place && next >= end) restore();
  tell();
  if (next < end) schedule();
}

function toEnd() {
  scroller.scrollTop = scroller.scrollHeight;
  lastTop = scroller.scrollTop;
}

const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
const below = (element) => element.getBoundingClientRect().top - scroller.getBoundingClientRect().top;

// The line at the top of the screen, and where it stands: it is found again when the lines were drawn anew.
function remember() {
  const line = [...scroller.querySelectorAll(".log-chunk > *")].find((e) => below(e) + e.offsetHeight > 0);
  if (line) place = { n: line.entry.n, y: below(line) };
}

function restore() {
  const { n, y } = place;
  place = null;
  const drawn = [...scroller.querySelectorAll(".log-chunk > *")];
  const line = drawn.find((e) => e.entry.n >= n) ?? drawn.at(-1);
  if (line) bring(line, y);
}

// Puts a line at a height of the screen; what is drawn on the way there may turn out higher than was guessed.
function bring(element, y, tries = 3) {
  // scrollIntoView would scroll the whole viewer too, and its tools out of sight.
  scroller.scrollTop += below(element) - y;
  lastTop = scroller.scrollTop;
  if (tries) requestAnimationFrame(() => { if (held()) bring(element, y, tries - 1); });
}

const passesAll = () => lowest < 0 && !part("filter").value.trim() && ![...sources.values()].some((s) => s.hidden);
function schedule() { frame ||= requestAnimationFrame(draw); }

function tell() {
  const waiting = heldAt === null ? 0 : lines.end - heldAt;
  part("jump").hidden = !held();
  viewer.classList.toggle("log-held", held());
  part("jump-text").textContent = waiting ? `${plural(waiting, "new line")}: jump to the end` : "Jump to the end";
  part("cut").hidden = !screen.cut;
  part("count").textContent = `${screen.count.toLocaleString("en")} of ${plural(lines.entries.length, "line")}`;
  part("empty").hidden = screen.count > 0;
  const status = part("status");
  if (status.dataset.state !== "open") return;
  const word = paused ? "Paused" : following ? SPEAKS.open : "Held";
  if (status.lastElementChild.textContent !== word) status.lastElementChild.textContent = word;
}

function hold() { heldAt ??= lines.end; tell(); }
function release() {
  paused = false;
  following = true;
  heldAt = null;
  setPressed(part("pause"), false);
  schedule();
}

function redraw() {
  if (held() && !place) remember();
  screen.clear();
  screen.needle = part("search").value.trim().toLowerCase();
  screen.json = pressed(part("json"));
  // With a filter all of the buffer is looked at, without one only what will be drawn.
  next = passesAll() ? Math.max(lines.first, (heldAt ?? lines.end) - DRAWN) : lines.first;
  marks = -1;
  part("found").textContent = "";
  schedule();
}

function onMessage(message) {
  for (const source of message.sources ?? []) addSource(source);
  for (const [i, stream, body] of message.lines ?? []) addLines(numbered[i], stream, body);
  if (message.note) lines.push({ note: message.note });
  for (const i of message.ended ?? []) addEnd(numbered[i]);
  if (early) gather();
  if (heldAt !== null) heldAt = Math.max(heldAt, lines.first);
  schedule();
}

// What was said before one looked comes task by task: it is gathered until a moment after all have said something, or
// have had time to, and told in the order of time.
function gather() {
  const told = [...sources.values()].filter((one) => one.last || one.ended).length;
  if (!told || told === heard) return;
  heard = told;
  since ||= performance.now();
  clearTimeout(gathering);
  const left = since + LONGEST_GATHER_MS - performance.now();
  gathering = setTimeout(putInOrder, told === sources.size ? Math.min(GATHER_MS, left) : left);
}

function putInOrder() {
  const told = early.sort((one, other) => (one.at < other.at ? -1 : Number(one.at > other.at)));
  early = null;
  for (const line of told) lines.push(line);
  schedule();
}

function keep(line) { (early ?? lines).push(line); }

function addSource(source) {
  let known = sources.get(source.task);
  if (!known) {
    known = { ...source, colour: sources.size % COLOURS, last: "", hidden: false };
    sources.set(source.task, known);
    addChip(known);
  }
  numbered[source.i] = known;
}

// Every connection says it again of tasks that have ended.
function addEnd(source) {
  if (!source || source.ended) return;
  source.ended = true;
  keep({ at: source.last, note: `${source.name} has ended; its log is complete.` });
}

function addLines(source, stream, body) {
  if (!source) return;
  const before = source.last; // after a reconnect the last line comes again
  for (const line of body.split("\n")) {
    if (!line) continue;
    const space = line.indexOf(" ");
    const at = space < 0 ? line : line.slice(0, space);
    if (at <= before) continue;
    source.last = at;
    keep({ at, stream, source, text: space < 0 ? "" : line.slice(space + 1) });
  }
}

function addChip(source) {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.className = `log-chip task-${source.colour}`;
  chip.textContent = source.name;
  chip.title = `Show or hide ${source.name}, on ${source.node}`;
  setPressed(chip, true);
  chip.addEventListener("click", () => {
    source.hidden = !source.hidden;
    setPressed(chip, !source.hidden);
    redraw();
  });
  part("chips").append(chip);
}

// Where to go on after a lost connection: at the task that is furthest behind, but not hours back because of one
// that has been silent. What the others have already is dropped by its time.
function resumeAt() {
  const seen = [...sources.values()].map((source) => source.last).filter(Boolean).sort();
  if (!seen.length) return "";
  const bound = new Date(Date.parse(`${seen.at(-1).slice(0, 23)}Z`) - OVERLAP_MS).toISOString();
  return seen[0] > bound ? seen[0] : bound;
}

function address() {
  const url = new URL(viewer.dataset.logs, location.href);
  url.searchParams.set("tail", part("tail").value);
  const minutes = Number(part("since").value);
  if (minutes) url.searchParams.set("since", new Date(Date.now() - minutes * 60000).toISOString());
  const last = resumeAt();
  if (last) {
    url.searchParams.set("since", last);
    url.searchParams.set("tail", "all");
  }
  return url.pathname + url.search;
}

// A refused websocket looks like a blocked one; the page itself tells them apart.
async function stillHere() {
  const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
  if (answer && (answer.redirected || [401, 403, 404].includes(answer.status))) location.reload();
}

function onState(state) {
  if (state === "gone") { location.reload(); return; }
  if (state === "blocked") stillHere();
  const status = part("status");
  status.dataset.state = state;
  status.querySelector(".live-word").textContent = state === "blocked" ? "Blocked" : SPEAKS[state];
  part("blocked").textContent = state === "blocked" ? SPEAKS.blocked : "";
  numbered = [];
  tell();
}

function again() {
  clearTimeout(gathering);
  early = [];
  gathering = since = heard = 0;
  lines.clear();
  sources.clear();
  part("chips").replaceChildren();
  heldAt = null;
  release();
  redraw();
  live.reopen();
}

function setPressed(button, on) { button.setAttribute("aria-pressed", on); }
function pressed(button) { return button.getAttribute("aria-pressed") === "true"; }
function toggle(name, then) {
  part(name).addEventListener("click", () => { setPressed(part(name), !pressed(part(name))); then(pressed(part(name))); });
}

function setFilter() {
  const found = parseFilter(part("filter").value, pressed(part("invert")));
  const wrong = found instanceof Error;
  part("filter").classList.toggle("is-invalid", wrong);
  part("filter").setAttribute("aria-invalid", wrong);
  part("wrong").textContent = wrong ? found.message : "";
  if (wrong) return;
  passes = found;
  lowest = LEVELS.indexOf(part("level").value);
  redraw();
}

function find(step) {
  const found = scroller.getElementsByTagName("mark");
  if (!found.length) { part("found").textContent = screen.needle ? "0 found" : ""; return; }
  following = false;
  hold();
  found[marks]?.classList.remove("at");
  marks = marks < 0 ? (step > 0 ? 0 : found.length - 1) : (marks + step + found.length) % found.length;
  found[marks].classList.add("at");
  bring(found[marks], scroller.clientHeight / 2);
  part("found").textContent = `${marks + 1} of ${found.length}`;
}

function text() {
  const time = pressed(part("times"));
  return lines.entries.filter(shows).map((entry) => asText(entry, { time })).join("");
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text()], { type: "text/plain" }));
  link.download = `${viewer.dataset.name || "logs"}.log`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function later(call, wait = 150) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(call, wait); };
}

scroller.addEventListener("scroll", () => {
  const up = scroller.scrollTop < lastTop - 2;
  lastTop = scroller.scrollTop;
  if (following && up && !atEnd()) { following = false; hold(); }
  else if (!following && !paused && !up && atEnd()) release();
}, { passive: true });
toggle("pause", (on) => { if (on) { paused = true; hold(); } else release(); });
toggle("times", (on) => viewer.classList.toggle("no-times", !on));
toggle("wrap", (on) => viewer.classList.toggle("no-wrap", !on));
toggle("json", redraw);
toggle("invert", setFilter);
toggle("full", (on) => (on ? viewer.requestFullscreen() : document.fullscreenElement && document.exitFullscreen()));
document.addEventListener("fullscreenchange", () => setPressed(part("full"), Boolean(document.fullscreenElement)));
part("jump").addEventListener("click", release);
part("copy").addEventListener("click", async () => {
  await writeClipboard(text());
  document.getElementById("announcer").textContent = "The shown lines were copied.";
  const icon = part("copy").querySelector(".ti");
  icon.classList.replace("ti-copy", "ti-check");
  setTimeout(() => icon.classList.replace("ti-check", "ti-copy"), 1500);
});
part("download").addEventListener("click", download);
part("filter").addEventListener("input", later(setFilter));
part("level").addEventListener("change", setFilter);
part("search").addEventListener("input", later(() => { redraw(); }));
part("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") { event.preventDefault(); find(event.shiftKey ? -1 : 1); }
});
for (const name of ["since", "tail"]) part(name).addEventListener("change", again);
// Tools that wrap, full screen, a turned phone: the end stays in sight for who follows.
new ResizeObserver(() => { if (!held()) toEnd(); }).observe(scroller);
live = connect({ address, onMessage, onState });
