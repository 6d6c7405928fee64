// A websocket that comes back: jittered backoff, and word of what it is doing.
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15000;
const GONE = new Set([4403, 4404]);
const FULL = 4429;

// address() gives the path to (re)connect to; onState hears "open", "lost" (was open, coming back),
// "blocked" (never opened in two tries), "ended" (done), "gone" (no longer allowed here)
// and "full" (too many live pages) with a sentence.
export function connect({ address, onMessage, onState }) {
  let socket = null, tries = 0, opened = false, finished = false, timer = 0;

  function open() {
    clearTimeout(timer);
    const url = new URL(address(), location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const mine = new WebSocket(url);
    socket = mine;
    mine.onopen = () => { opened = true; tries = 0; onState("open"); };
    mine.onmessage = (event) => { if (socket === mine) onMessage(JSON.parse(event.data)); };
    mine.onclose = (event) => { if (socket === mine && !finished) closed(event.code, event.reason); };
  }

  function closed(code, reason) {
    if (GONE.has(code)) { finished = true; onState("gone"); return; }
    if (code === FULL) { finished = true; onState("full", reason); return; }
    tries += 1;
    if (opened) onState("lost");
    else if (tries >= 2) onState("blocked");
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1));
    timer = setTimeout(open, wait * (0.5 + Math.random() / 2));
  }

  function stop() {
    finished = true;
    clearTimeout(timer);
    socket?.close();
  }

  function reopen() {
    const old = socket;
    socket = null;
    old?.close();
    finished = false;
    open();
  }

  addEventListener("online", () => { if (!finished && socket?.readyState === WebSocket.CLOSED) open(); });
  // A page kept by the browser for "back" has a dead socket; one that is left must not report a loss.
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  open();
  return { close: () => { stop(); onState("ended"); }, reopen };
}
