"""The log viewer of a stack, as the main job uses it."""

from __future__ import annotations

import re

from tests.browser.pages import Person
from tests.support.lab import until

AT_END = (
    "const s = document.querySelector('[data-log-screen]'); return s.scrollHeight - s.scrollTop - s.clientHeight < 30"
)


# What a reader sees at the top, and where: that stays, also when the viewer connects again meanwhile.
TOP_LINE = """
const top = document.querySelector("[data-log-screen]").getBoundingClientRect().top;
const line = [...document.querySelectorAll(".log-line")].find((e) => e.getBoundingClientRect().bottom > top);
return [line.textContent, line.getBoundingClientRect().top - top];
"""


def scrolls_up_and_jumps_to_the_end(ann: Person) -> None:
    until(lambda: ann.script(AT_END), what="the viewer follows the end")
    ann.script("document.querySelector('[data-log-screen]').scrollTop -= 300")
    ann.sees("Held", ".log-viewer")
    line, y = ann.script(TOP_LINE)
    ann.sees("new lines: jump to the end", "[data-log-jump]")
    still, now = ann.script(TOP_LINE)
    assert (still, abs(now - y) < 4) == (line, True), "what is read moved"
    ann.looks_at("16-logs-held")
    ann.clicks_on("[data-log-jump]")
    ann.sees("Following", ".log-viewer")
    until(lambda: ann.script(AT_END), what="the viewer is at the end again")
    lines = ann.count(".log-line")
    until(lambda: ann.count(".log-line") > lines, what="the viewer follows again")


def tells_of_before_in_order(ann: Person) -> None:
    """Lines of all tasks from before one looked stand by their times, not task by task."""

    def in_order() -> bool:
        ann.opens(ann.path)
        until(lambda: ann.count(".log-line") > 60, what="lines from before are there")
        first = ann.script("return [...document.querySelectorAll('.log-line')].slice(0, 60).map((e) => e.textContent)")
        return bool(first == sorted(first, key=lambda line: line[:12]))

    # A host that takes long to answer is not waited for.
    until(in_order, what="lines from before stand in the order of time")


def searches(ann: Person) -> None:
    ann.types("Search in the lines", "tenth")
    until(lambda: ann.count("[data-log-lines] mark"), what="the found words are marked")
    found = ann.script("return [...document.querySelectorAll('[data-log-lines] mark')].map((e) => e.textContent)")
    assert set(found) == {"tenth"}
    ann.field("Search in the lines").send_keys("\n")
    until(lambda: re.search(r"^1 of \d+", ann.text("[data-log-found]")), what="the first finding is shown")
    ann.sees("Held", ".log-viewer")
    assert ann.script("return document.querySelector('.log-viewer').scrollTop") == 0, "its tools are out of sight"
    ann.looks_at("17-logs-search")
    ann.types("Search in the lines", "")
    until(lambda: not ann.count("[data-log-lines] mark"), what="nothing is marked any more")
    ann.clicks_on("[data-log-jump]")


# Lines out of sight are not drawn, and have no visible text.
WRITTEN = "return [...document.querySelectorAll(`.log-line${arguments[0]} .log-text`)].map((e) => e.textContent)"
LOOK = """
const style = getComputedStyle(document.querySelector(arguments[0]));
return [style.color, style.borderLeftColor, style.borderLeftWidth, style.backgroundColor].join();
"""


def told_apart(ann: Person) -> None:
    """Lines of stderr look different, and say so to who can't see it."""
    until(lambda: ann.count(".log-line.stream-2"), what="lines of stderr are there")
    assert all("stderr: tenth line" in text for text in ann.script(WRITTEN, ".stream-2"))
    assert not any("tenth line" in text for text in ann.script(WRITTEN, ".stream-1"))
    assert ann.script(LOOK, ".log-line.stream-1") != ann.script(LOOK, ".log-line.stream-2")


def follows_the_link_of_a_task(ann: Person) -> None:
    name = ann.text("a.log-task")
    ann.clicks_on("a.log-task")
    ann.is_at("/tasks/")
    ann.sees(name, "h1")
    ann.sees("Running", "#task-head")
    ann.sees("Exit code \N{EN DASH}", "#task-head")
    ann.looks_at("18-task")
