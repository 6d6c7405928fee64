// The terminal of an operation: follows its end, stops when one scrolls up, and keeps the page small.
const DRAWN_LINES = 5000;
const NEAR = 40;
const terminal = document.querySelector("[data-operation]");
const screen = terminal.querySelector("[data-screen]");
const jump = terminal.querySelector("[data-jump]");
const follow = terminal.querySelector("[data-follow]");
const waiting = terminal.querySelector("[data-waiting]");

const atEnd = () => screen.scrollHeight - screen.scrollTop - screen.clientHeight < NEAR;
const toEnd = () => { screen.scrollTop = screen.scrollHeight; };

function setFollow(on) {
  follow.checked = on;
  jump.hidden = on || atEnd();
}

function cut() {
  const lines = screen.getElementsByClassName("line");
  const over = lines.length - DRAWN_LINES;
  if (over <= 0) return;
  for (const line of [...lines].slice(0, over)) line.remove();
  terminal.querySelector("[data-cut]").hidden = false;
}

document.addEventListener("live:applied", (event) => {
  if (document.querySelector("#steps .step")) waiting.hidden = true;
  cut();
  if (follow.checked) toEnd();
  else jump.hidden = atEnd();
  if (event.detail.done) document.getElementById("operation-result").scrollIntoView({ block: "nearest" });
});
screen.addEventListener("scroll", () => setFollow(atEnd()), { passive: true });
follow.addEventListener("change", () => { if (follow.checked) toEnd(); setFollow(follow.checked); });
jump.addEventListener("click", () => { toEnd(); setFollow(true); });
toEnd();
