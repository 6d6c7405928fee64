// What a log line says: its level, its colours, its fields when it is JSON. Never trusts it to be markup.
export const LEVELS = ["debug", "info", "warning", "error"];
const WORDS = [
  ["error", /\b(?:error|err|fatal|panic|critical|crit|alert|emerg|severe|exception|traceback)\b/i],
  ["warning", /\bwarn(?:ing)?\b/i],
  ["info", /\b(?:info|notice)\b/i],
  ["debug", /\b(?:debug|trace|dbg)\b/i],
];
const NUMBERS = { 10: "debug", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "error" }; // pino, bunyan
const MESSAGE = ["msg", "message", "log", "event", "text"];
const LEVEL = ["level", "severity", "lvl", "loglevel", "log.level"];
const STAMP = new Set(["time", "ts", "timestamp", "@timestamp", "t", ...MESSAGE, ...LEVEL]);
const LOOKED_AT = 300;
const ESCAPES = /\x1b\[([0-9;]*)m|\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07/g;

export const plain = (text) => (text.includes("\x1b") ? text.replace(ESCAPES, "") : text);

// The fields of a JSON object line: its message and the rest as [name, value] pairs; null for other lines.
export function fields(text) {
  if (text.charCodeAt(0) !== 123 || !text.trimEnd().endsWith("}")) return null;
  let found;
  try { found = JSON.parse(text); } catch { return null; }
  const name = MESSAGE.find((key) => typeof found[key] === "string");
  const rest = Object.entries(found).filter(([key]) => !(name ? STAMP : new Set(LEVEL)).has(key));
  const shown = rest.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
  return { message: name ? found[name] : "", rest: shown, level: LEVEL.map((key) => found[key]).find((v) => v !== undefined) };
}

export function levelOf(text) {
  if (text.charCodeAt(0) === 123) {
    const level = /"(?:level|severity|lvl|loglevel|log\.level)"\s*:\s*"?(\w+)/i.exec(text.slice(0, 2000))?.[1];
    if (level) return NUMBERS[level] ?? WORDS.find(([, pattern]) => pattern.test(level))?.[0] ?? "";
  }
  const head = plain(text.slice(0, LOOKED_AT));
  return WORDS.find(([, pattern]) => pattern.test(head))?.[0] ?? "";
}

// The text as [classes, text] runs by its colour escapes.
export function runs(text) {
  if (!text.includes("\x1b")) return [["", text]];
  const found = [];
  let colour = "", bold = "", at = 0;
  const push = (end) => { if (end > at) found.push([`${colour} ${bold}`.trim(), text.slice(at, end)]); };
  for (const match of text.matchAll(ESCAPES)) {
    push(match.index);
    at = match.index + match[0].length;
    if (match[1] === undefined) continue;
    for (const code of (match[1] || "0").split(";").map(Number)) {
      if (code === 0) colour = bold = "";
      else if (code === 1) bold = "ansi-bold";
      else if (code === 39) colour = "";
      else if (code >= 30 && code <= 37) colour = `ansi-${code - 30}`;
      else if (code >= 90 && code <= 97) colour = `ansi-${code - 90}`;
    }
  }
  push(text.length);
  return found;
}
