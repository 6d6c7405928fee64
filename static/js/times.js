// Keeps <time data-relative> and running clocks (data-elapsed-since) fresh, by the server's clock.
const root = document.documentElement;
// The page's own date is only as old as the page; below a few seconds a difference means nothing.
const skew = Date.parse(root.dataset.now) - Date.now() + performance.now();
const now = () => Date.now() + (Math.abs(skew) > 3000 ? skew : 0);
const SPANS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

export function duration(seconds) {
  const parts = [];
  let rest = Math.floor(seconds);
  if (rest < 1) return "<1 s";
  for (const [size, unit] of SPANS) {
    if (rest >= size) {
      parts.push(`${Math.floor(rest / size)} ${unit}`);
      rest %= size;
    }
  }
  return parts.slice(0, 2).join(" ");
}

export function ago(at) {
  const seconds = (now() - at) / 1000;
  if (Math.abs(seconds) < 5) return "now";
  const [size, unit] = SPANS.find(([span]) => Math.abs(seconds) >= span);
  const count = Math.floor(Math.abs(seconds) / size);
  return seconds > 0 ? `${count} ${unit} ago` : `in ${count} ${unit}`;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function refresh(scope = document) {
  for (const element of scope.querySelectorAll("[data-elapsed-since]")) {
    write(element, duration((now() - Date.parse(element.dataset.elapsedSince)) / 1000));
  }
  for (const element of scope.querySelectorAll("time[data-relative]")) {
    write(element, ago(Date.parse(element.dateTime)));
  }
  for (const element of scope.querySelectorAll("time[data-clock]")) {
    // Clock times of log lines in the reader's own time zone; written once.
    write(element, new Date(element.dateTime).toLocaleTimeString("en-GB"));
    element.removeAttribute("data-clock");
  }
}

setInterval(() => { if (!document.hidden) refresh(); }, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
refresh();
