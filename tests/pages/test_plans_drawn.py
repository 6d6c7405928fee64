"""How a plan is drawn: every word as text, the counts, the changes, and what is unchanged folded."""

from __future__ import annotations

import re

from django.template.loader import render_to_string

from platform_manager.swarm.plan import Change, Item, Plan

PLAN = Plan(
    (
        Item("service", "demo_new", "create", note="web:1, 2 tasks."),
        Item(
            "service",
            "demo_web",
            "update",
            (Change("image", "web:1", "web:<b>2"), Change("environment.A", None, ""), Change("user", "1", None)),
            "Its tasks are replaced.",
        ),
        Item("config", "demo_conf", "replace", note="Content changed."),
        Item("service", "demo_old", "remove"),
        Item("network", "demo_default", "keep"),
    ),
    ("A note.",),
)


def drawn(**context: object) -> str:
    return render_to_string("stacks/_plan.html", context)


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_each_item_has_a_word_and_its_changes_before_and_after() -> None:
    page = words(drawn(plan=PLAN))
    assert "1 to create 1 to change 1 to replace 1 to remove 1 unchanged" in page
    for text in ("Create service demo_new", "Change service demo_web", "Replace config demo_conf", "A note."):
        assert text in page
    assert "image web:1 web:&lt;b&gt;2 environment.A not set empty user 1 not set" in page
    assert "Remove service demo_old" in page


def test_what_is_unchanged_is_folded() -> None:
    folded = re.search(r"<details.*?</details>", drawn(plan=PLAN), re.DOTALL)
    assert folded and words(folded[0]) == "1 unchanged network demo_default"
    assert "Changes nothing" in drawn(plan=Plan((Item("network", "n", "keep"),)))


def test_icons_and_colours_never_stand_alone() -> None:
    for icon in re.findall(r"<i [^>]*>", drawn(plan=PLAN)):
        assert 'aria-hidden="true"' in icon


def test_a_problem_and_a_kept_text_are_shown_instead() -> None:
    page = drawn(plan=None, plan_problem="The plan can't be made now: no <manager>.")
    assert "No plan. The plan can&#x27;t be made now: no &lt;manager&gt;." in words(page)
    assert "+ service &lt;x&gt; (create)" in drawn(plan_text="+ service <x> (create)")
    assert "as soon as the form is right" in drawn()
