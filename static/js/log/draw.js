// Draws log lines as text nodes, in chunks, with an upper bound on what the page holds.
import { fields, levelOf, plain, runs } from "./read.js";

const CHUNK = 200;
export const DRAWN = 5000;

function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.append(text);
  return made;
}

function clock(at) {
  const date = new Date(`${at.slice(0, 23)}Z`);
  return `${date.toLocaleTimeString("en-GB")}.${at.slice(20, 23).padEnd(3, "0")}`;
}

export class Screen {
  constructor(container) {
    this.container = container;
    this.json = true;
    this.needle = "";
    this.clear();
  }

  clear() {
    this.container.replaceChildren();
    this.count = 0;
    this.chunk = null;
    this.cut = false;
  }

  // With keep nothing leaves at the top, so that what is on screen stays in its place.
  add(entries, keep = false) {
    for (const entry of entries) {
      if (!this.chunk || this.chunk.childElementCount >= CHUNK) {
        this.chunk = element("div", "log-chunk");
        this.container.append(this.chunk);
      }
      const line = entry.note ? element("div", "log-note", entry.note) : this.line(entry);
      line.entry = entry;
      this.chunk.append(line);
    }
    this.count += entries.length;
    while (this.count > DRAWN && !keep) {
      const oldest = this.container.firstElementChild;
      this.count -= oldest.childElementCount;
      oldest.remove();
      this.cut = true;
    }
  }

  line({ at, stream, source, text }) {
    const line = element("div", `log-line stream-${stream}`);
    const time = element("time", "log-time", clock(at));
    time.title = at;
    const task = element("a", `log-task task-${source.colour}`, source.name);
    task.href = source.url;
    task.title = `Task ${source.name} on ${source.node}`;
    const body = element("span", "log-text");
    const level = levelOf(text);
    if (level) line.classList.add(`level-${level}`);
    if (stream === 2) body.append(element("span", "visually-hidden", "stderr: "));
    const record = this.json ? fields(text) : null;
    if (record) this.record(body, record);
    else for (const [classes, run] of runs(text)) this.text(classes ? body.appendChild(element("span", classes)) : body, run);
    line.append(time, task, body);
    return line;
  }

  record(body, { message, rest, level }) {
    if (level !== undefined) body.append(element("span", "log-level", String(level).toUpperCase()), " ");
    this.text(body, message);
    for (const [name, value] of rest) {
      body.append(" ", element("span", "log-key", `${name}=`));
      this.text(body.appendChild(element("span", "log-value")), value);
    }
  }

  // Text with what is searched for marked.
  text(parent, text) {
    if (!this.needle) { parent.append(text); return; }
    const low = text.toLowerCase();
    let at = 0;
    for (let hit = low.indexOf(this.needle); hit >= 0; hit = low.indexOf(this.needle, at)) {
      parent.append(text.slice(at, hit), element("mark", "", text.slice(hit, hit + this.needle.length)));
      at = hit + this.needle.length;
    }
    parent.append(text.slice(at));
  }
}

export function asText(entry, { task = true, time = true } = {}) {
  if (entry.note) return `# ${entry.note}\n`;
  const prefix = `${time ? `${entry.at} ` : ""}${task ? `${entry.source.name} ` : ""}${entry.stream === 2 ? "stderr " : ""}`;
  return `${prefix}${plain(entry.text)}\n`;
}
