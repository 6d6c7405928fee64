"""How the states that the engines report are shown: a word, a colour, and what it means."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from dashboard.models import Host, Operation, Revision, Stack
from dashboard.models.states import Look
from platform_manager.swarm import updates
from platform_manager.swarm.snapshot import Service, Task

STARTING = frozenset({"new", "assigned", "accepted", "ready", "preparing", "starting"})
UNWELL = frozenset({"failed", "rejected", "orphaned"})


class Badge(NamedTuple):
    """A state for people. ``colour`` is one of Tabler's; ``moving`` says that it will change by itself."""

    word: str
    colour: str
    moving: bool = False
    sentence: str = ""


def badge_of(thing: Host | Operation | Revision | Stack) -> Badge:
    look: Look = thing.look
    return Badge(thing.get_state_display(), look.colour, look.moving, look.sentence)


def machine_badge(host: Host) -> Badge | None:
    """None while the host's machine is as it should be, or nobody has looked."""
    look = host.machine_look
    return Badge(host.get_machine_display(), look.colour, look.moving, look.sentence) if look else None


TASKS = {
    "new": Badge("New", "azure", True, "The swarm has taken it up."),
    "pending": Badge("Pending", "yellow", True, "No host fits it yet; the message says why."),
    "assigned": Badge("Assigned", "azure", True, "A host was chosen."),
    "accepted": Badge("Accepted", "azure", True, "The host has taken it."),
    "ready": Badge("Ready", "azure", True, "It starts as soon as the task before it has ended."),
    "preparing": Badge("Preparing", "azure", True, "The host gets the image and its networks."),
    "starting": Badge("Starting", "azure", True, "The container starts."),
    "running": Badge("Running", "green", False, "The container runs."),
    "complete": Badge("Complete", "secondary", False, "The container ended with exit code 0."),
    "shutdown": Badge("Shut down", "secondary", False, "The swarm stopped it."),
    "failed": Badge("Failed", "red", False, "The container ended with an error."),
    "rejected": Badge("Rejected", "red", False, "The host could not start it."),
    "orphaned": Badge("Orphaned", "red", False, "Its host was away for too long."),
    "remove": Badge("Removing", "secondary", True, "It goes as its service does."),
}


def task_badge(task: Task, away: bool) -> Badge:
    """``away``: its host does not answer."""
    if task.state == "running" and away:
        return Badge("Unknown", "yellow", False, "Its host does not answer; the task ran when it last did.")
    return TASKS.get(task.state, Badge(task.state.capitalize() or "Unknown", "secondary"))


UPDATES = {
    "updating": Badge("Updating", "azure", True),
    "paused": Badge("Update paused", "red"),
    "rollback_started": Badge("Rolling back", "yellow", True),
    "rollback_paused": Badge("Rollback paused", "red"),
    "rollback_completed": Badge("Rolled back", "red"),
}


def service_badge(service: Service, tasks: Iterable[Task], *, unknown: int = 0, error: str = "") -> Badge:
    """``tasks`` are looked at only where fewer run than should.

    ``unknown`` counts tasks on hosts that do not answer; ``error`` is how the last task ended whose successor does
    not run well.
    """
    if service.update_state in UPDATES:
        return UPDATES[service.update_state]._replace(sentence=service.update_message)
    if service.mode.endswith("job"):
        return Badge("Job", "azure" if service.running else "secondary", bool(service.running))
    if service.desired == 0:
        return Badge("No tasks", "secondary", False, "Nothing is wanted, or no host fits its constraints.")
    if error:
        return Badge("Failing", "red", True, f"It is started again and again. The last try: {error}")
    states = {task.state for task in tasks}
    if "complete" in states and states <= {"complete", "running"}:
        # What is to be started again has its next task at once.
        done = states == {"complete"}
        words = "Its tasks ended well, and are not started again."
        return Badge("Done", "secondary", False, words) if done else Badge("Running", "green", False, words)
    if service.running >= service.desired:
        return Badge("Running", "green", False, "Everything that should run does.")
    if unknown:
        word, colour = ("Degraded", "yellow") if service.running else ("Unknown", "yellow")
        return Badge(word, colour, False, "Tasks are on a host that does not answer; they may run.")
    if states <= STARTING | {"running", "complete"}:
        return Badge("Starting", "azure", True, "Its tasks are starting.")
    if service.running:
        return Badge("Degraded", "yellow", False, "Some tasks do not run.")
    return Badge("Down", "red", False, "No task runs; the tasks say why.")


def unwell(badge: Badge) -> bool:
    return badge.colour in ("red", "yellow")


def moment(text: str) -> datetime | None:
    """An engine's timestamp; None where it is empty, its zero value or no time at all."""
    found = updates.moment(text)
    return found if found and found.year > 1970 else None
