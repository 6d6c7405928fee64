"""How states are shown: what ended well is not told as down."""

from __future__ import annotations

import pytest

from dashboard.pages.looks import service_badge
from tests import factories


@pytest.mark.parametrize(
    ("states", "running", "word"),
    [
        (["complete"], 0, "Done"),
        (["complete", "running"], 1, "Running"),
        (["complete", "starting"], 0, "Starting"),
        (["starting"], 0, "Starting"),
        (["shutdown"], 0, "Down"),
        ([], 0, "Starting"),
    ],
)
def test_a_service_whose_tasks_ended_well_is_done(states: list[str], running: int, word: str) -> None:
    service = factories.service("once", desired=max(len(states), 1), running=running)
    tasks = [factories.task(service, slot, state=state) for slot, state in enumerate(states, 1)]
    assert service_badge(service, tasks).word == word
