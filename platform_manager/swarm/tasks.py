"""The tasks of a service, slot by slot: which one counts, whether it is well, and why not.

A slot is one replica, or one node of a global service. The swarm keeps a few ended tasks of each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from .causes import is_image_error, is_of_a_start, is_of_its_host, last_error
from .scheduling import no_host
from .snapshot import ENDED, FAILED, Json, answers, mapping, number, part, text
from .updates import moment

# An ended task is news for so long.
HISTORY_SECONDS = 600.0
# So many ends in a row, each soon after the other, are a loop. The swarm remembers no more by default.
CRASH_LOOP = 4
LOOP_GAP_SECONDS = 120.0
STABLE_SECONDS = 30.0
# An engine that starts refuses tasks for a few seconds: within this time that is no loop, however often it does.
ENGINE_SECONDS = 20.0
# The swarm tries an image that can't be had every few seconds; two refusals are no accident.
REFUSALS = 2
# A task that fits no host may wait for one that just joins, or for a port that is being freed.
PENDING_SECONDS = 15.0

NO_HOST = "no host can take it"
ENDED_WELL = "ended with exit code 0"
_LIVE = ("running", "ready", "complete")


class Fate(IntEnum):
    """From good to bad."""

    GOOD = 0
    MOVING = 1
    LOST = 2
    BROKEN = 3


@dataclass(frozen=True)
class TaskFailure:
    """``node`` is a host name, ``error`` the engine's full text, ``at`` its timestamp."""

    task_id: str
    slot: int
    node: str
    error: str
    exit_code: int | None
    at: str


@dataclass
class Slot:
    """``failures`` are worth showing; ``history`` are all that the swarm remembers.

    ``may_recover`` is False when trying again can't help; ``changes_in``: the verdict may change after
    so many seconds without news; ``fresh``: it is well, but the one before ended, and it has not run for long enough
    to be relied on; ``done``: it ended well, for good; ``working``: a task of a job that runs, and will end.
    """

    fate: Fate
    reason: str = ""
    failures: list[TaskFailure] = field(default_factory=list)
    history: list[TaskFailure] = field(default_factory=list)
    may_recover: bool = True
    changes_in: float | None = None
    fresh: bool = False
    done: bool = False
    working: bool = False


def slots_of(service: Json, tasks: list[Json], nodes: list[Json], now: datetime, *, job: bool) -> list[Slot]:
    """All slots the service has tasks for."""
    hosts = {text(node.get("ID"), 64): node for node in nodes}
    if job:
        round_now = number(part(service, "JobStatus", "JobIteration", "Index"))
        tasks = [task for task in tasks if number(part(task, "JobIteration", "Index")) == round_now]
    grouped: dict[object, list[Json]] = {}
    for task in tasks:
        grouped.setdefault(number(task.get("Slot")) or text(task.get("NodeID"), 64), []).append(task)
    slots = (_SlotJudge(service, found, hosts, now, job=job).slot() for found in grouped.values())
    return [slot for slot in slots if slot is not None]


class _SlotJudge:
    def __init__(self, service: Json, tasks: list[Json], hosts: dict[str, Json], now: datetime, *, job: bool) -> None:
        self.spec = part(service, "Spec")
        self.template = part(self.spec, "TaskTemplate")
        self.hosts = hosts
        self.now = now
        self.job = job
        self.tasks = sorted(tasks, key=lambda task: text(task.get("CreatedAt"), 40))

    def slot(self) -> Slot | None:
        """None for a slot that is only history: scaled away, or on a host that left."""
        failed = [task for task in self._of_this_version() if self._ended_badly(task)]
        recent = [task for task in failed if self._age(task) < HISTORY_SECONDS]
        live = self._live()
        slot = self._running(live, recent) if live else self._ended(recent)
        if slot is None:
            return None
        slot.history = [self._failure(task) for task in self.tasks if self._ended_badly(task)]
        shown = recent if slot.fate is Fate.GOOD else failed
        slot.failures = [self._failure(task) for task in [*shown, *([live] if live and _stuck(live) else [])]]
        return slot

    def _of_this_version(self) -> list[Json]:
        """Failures of an earlier version must not count against the one that mends it."""
        template = essence(self.template)
        same = [task for task in self.tasks if essence(task.get("Spec")) == template]
        return same or [task for task in self.tasks if not self._outdated(task)]

    def _ended_badly(self, task: Json) -> bool:
        """A task that has to run for ever and ends with success ended badly too."""
        policy = text(part(self.template, "RestartPolicy", "Condition"), 20) or "any"
        endless = not self.job and policy == "any"
        return _state(task) in FAILED or (endless and _state(task) == "complete")

    def _loop(self, ended: list[Json]) -> list[Json]:
        """The last ends that follow each other closely."""
        chain: list[Json] = []
        for task in reversed(ended):
            if chain and self._age(task) - self._age(chain[-1]) > LOOP_GAP_SECONDS:
                break
            chain.append(task)
        return chain

    def _live(self) -> Json | None:
        wanted = [task for task in self.tasks if text(task.get("DesiredState"), 20) in _LIVE]
        unended = [task for task in wanted if _state(task) not in ENDED]
        if self.job and not unended and wanted and _state(wanted[-1]) == "complete":
            return wanted[-1]
        running = [task for task in unended if _state(task) == "running" and self._answers(task)]
        found = running or unended
        return found[-1] if found else None

    def _answers(self, task: Json) -> bool:
        return answers(self.hosts.get(text(task.get("NodeID"), 64), {}))

    def _age(self, task: Json) -> float:
        at = moment(text(part(task, "Status", "Timestamp"), 40)) or moment(text(task.get("CreatedAt"), 40))
        return (self.now - at).total_seconds() if at else 0.0

    def _running(self, task: Json, recent: list[Json]) -> Slot:
        state = _state(task)
        if state == "complete":
            return Slot(Fate.GOOD, done=True)
        up = state == "running" and self._answers(task)
        if up:
            # It is past what kept the ones before it from starting.
            recent = [one for one in recent if not is_of_a_start(_error(one))]
        if not (up and self._age(task) >= STABLE_SECONDS) and (broken := self._broken(recent)):
            broken.changes_in = max(STABLE_SECONDS - self._age(task), 1.0) if up else None
            return broken
        if up and self._outdated(task):
            return Slot(Fate.MOVING)
        if up and self.job:
            return Slot(Fate.MOVING, "its job has not ended yet.", working=True)
        if up:
            return Slot(Fate.GOOD, fresh=self._age(task) < STABLE_SECONDS and self._follows(recent, task))
        if _stuck(task):
            return self._pending(task)
        if text(task.get("NodeID"), 64) and not self._answers(task):
            return Slot(Fate.LOST, f"the host {self._host(task)} does not answer.")
        reason = f"trying again. {_sentence(recent[-1])}" if recent else ""
        return Slot(Fate.MOVING, reason)

    def _follows(self, ended: list[Json], task: Json) -> bool:
        """Whether the task came soon after another had ended."""
        return bool(ended) and self._age(ended[-1]) - self._age(task) <= LOOP_GAP_SECONDS

    def _outdated(self, task: Json) -> bool:
        """The service was changed, and its update has not come to this task, or is not known yet."""
        spec = task.get("Spec")
        return any(part(spec, key) != part(self.template, key) for key in ("ContainerSpec", "ForceUpdate"))

    def _broken(self, recent: list[Json]) -> Slot | None:
        """Nothing good can be expected of the next task: the last ones ended too often, or have no image."""
        loop = self._loop(recent)
        refused = [task for task in loop if is_image_error(_error(task))]
        if len(refused) >= REFUSALS and refused[0] is loop[0]:
            return Slot(Fate.BROKEN, self._no_image(refused[0]), may_recover=False)
        if len(loop) >= CRASH_LOOP and not self._is_start(loop):
            return Slot(Fate.BROKEN, f"it keeps ending. {_sentence(loop[0])}")
        return None

    def _is_start(self, loop: list[Json]) -> bool:
        """All of them were refused a moment ago, as by an engine that just started."""
        return all(is_of_a_start(_error(task)) for task in loop) and self._age(loop[-1]) < ENGINE_SECONDS

    def _pending(self, task: Json) -> Slot:
        created = moment(text(task.get("CreatedAt"), 40))
        age = (self.now - created).total_seconds() if created else PENDING_SECONDS
        reason = f"{NO_HOST}: {no_host(_error(task), self.spec)}"
        if age < PENDING_SECONDS:
            return Slot(Fate.MOVING, reason, changes_in=PENDING_SECONDS - age)
        return Slot(Fate.BROKEN, reason, may_recover=False)

    def _ended(self, recent: list[Json]) -> Slot | None:
        """No task lives: it ended and stays so, or the next one is not made yet."""
        last = self.tasks[-1]
        if self._outdated(last) and not self.job:
            return Slot(Fate.MOVING)
        policy = mapping(part(self.template, "RestartPolicy"))
        condition = text(policy.get("Condition"), 20) or "any"
        if _state(last) == "complete" and (self.job or condition in ("none", "on-failure")):
            return Slot(Fate.GOOD, done=True)
        if not self._ended_badly(last):
            return None
        failures = sum(_state(task) in FAILED for task in self._of_this_version())
        attempts = number(policy.get("MaxAttempts"))
        if condition == "none" or (attempts and failures > min(attempts, CRASH_LOOP - 1)):
            remedy = ": deploy the stack again" if is_of_its_host(_error(last)) else ""
            reason = f"it ended and is not started again{remedy}. {_sentence(last)}"
            return Slot(Fate.BROKEN, reason, may_recover=False)
        if text(last.get("DesiredState"), 20) == "remove":
            return None
        return self._broken(recent) or Slot(Fate.MOVING, f"trying again. {_sentence(last)}")

    def _no_image(self, task: Json) -> str:
        image = text(part(task, "Spec", "ContainerSpec", "Image"), 300).split("@sha256:")[0]
        return f"the image {image} can't be pulled. {_sentence(task)}"

    def _host(self, task: Json) -> str:
        node_id = text(task.get("NodeID"), 64)
        return text(part(self.hosts.get(node_id), "Description", "Hostname"), 255) or node_id

    def _failure(self, task: Json) -> TaskFailure:
        code = part(task, "Status", "ContainerStatus", "ExitCode")
        said = ENDED_WELL if _state(task) == "complete" else text(part(task, "Status", "Message"), 500)
        return TaskFailure(
            task_id=text(task.get("ID"), 64),
            slot=number(task.get("Slot")),
            node=self._host(task),
            error=_error(task) or said,
            exit_code=code if isinstance(code, int) else None,
            at=text(part(task, "Status", "Timestamp"), 40),
        )


def essence(spec: object) -> dict[str, Any]:
    """A task template as both a service and its tasks give it: only services name the runtime."""
    return {key: value for key, value in mapping(spec).items() if key != "Runtime"}


def _state(task: Json) -> str:
    return text(part(task, "Status", "State"), 20)


def _error(task: Json) -> str:
    return text(part(task, "Status", "Err"))


def _stuck(task: Json) -> bool:
    return _state(task) == "pending" and bool(_error(task))


def _sentence(task: Json) -> str:
    if _state(task) == "complete":
        return f"It {ENDED_WELL}."
    return last_error(_error(task) or _state(task))
