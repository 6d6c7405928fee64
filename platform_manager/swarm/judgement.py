"""Says how a stack is doing, from services, tasks and nodes as the Engine API gives them.

Nothing here asks the engine or keeps state. The exit code of a deployment means nothing: a stack runs when
its tasks run, on hosts that answer, and keep running.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from platform_manager.recipes.constraints import read_constraint
from platform_manager.recipes.facts import HostFacts

from .causes import last_error
from .scheduling import constraints
from .snapshot import Json, answers, image_of, mapping, number, part, sequence, text
from .tasks import NO_HOST, STABLE_SECONDS, Fate, Slot, TaskFailure, slots_of

FAILURES_SHOWN = 20
IDLE_SHOWN = 3
MISSING_SHOWN = 10


class StackState(StrEnum):
    """The words of the states a stack passes through; a removed stack has none."""

    DEPLOYING = "deploying"
    CONVERGING = "converging"
    RUNNING = "running"
    DEGRADED = "degraded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    REMOVING = "removing"


@dataclass(frozen=True)
class ServiceStatus:
    """``running`` counts tasks that run on a host that answers, and those that ended well for good, the ``done``.

    Tasks of jobs that run are the ``working``, and not counted: they are to end.
    """

    id: str
    name: str
    mode: str
    desired: int
    running: int
    state: StackState
    sentence: str
    image: str
    ports: list[str]
    update_state: str
    failures: list[TaskFailure] = field(default_factory=list)
    done: int = 0
    working: int = 0


@dataclass(frozen=True)
class StackStatus:
    """``recheck_seconds``: when to judge again although the swarm has no news; None when there is no need.

    ``fresh``: some of what runs began a moment ago, and may end as what ran just before it did. ``working``: nothing is
    missing but the end of jobs.
    """

    state: StackState
    sentence: str
    running: int
    desired: int
    services: list[ServiceStatus]
    recheck_seconds: float | None = None
    fresh: bool = False
    working: bool = False


# The first of these that a service has is what the stack is.
_WORST_FIRST = (
    StackState.FAILED,
    StackState.ROLLED_BACK,
    StackState.REMOVING,
    StackState.CONVERGING,
    StackState.DEGRADED,
    StackState.RUNNING,
)


def judge(
    services: Iterable[Json], tasks: Iterable[Json], nodes: Iterable[Json], *, now: datetime | None = None
) -> StackStatus:
    """``services`` and ``tasks`` of one stack, all ``nodes``; ``now`` is for tests."""
    moment = now or datetime.now(UTC)
    known: list[Json] = [node for node in nodes if isinstance(node, dict)]
    of_service: dict[str, list[Json]] = {}
    for task in tasks:
        of_service.setdefault(text(task.get("ServiceID"), 64), []).append(task)
    judges = [
        _ServiceJudge(service, of_service.get(text(service.get("ID"), 64), []), known, moment) for service in services
    ]
    if not judges:
        state = StackState.REMOVING if of_service else StackState.FAILED
        words = "Its last tasks are ending." if of_service else "The swarm has no service of this stack."
        return StackStatus(state, words, 0, 0, [])
    verdicts = [(judge, judge.status()) for judge in judges]
    starting = {status.id for _, status in verdicts if status.state is StackState.CONVERGING}
    found = [judge.patient(status) if starting - {status.id} else status for judge, status in verdicts]
    found.sort(key=lambda status: status.name)
    rechecks = [judge.recheck for judge in judges if judge.recheck is not None]
    return _stack(found, min(rechecks, default=None), fresh=any(slot.fresh for judge in judges for slot in judge.slots))


def steadied(before: StackState, sentence: str, status: StackStatus) -> StackStatus:
    """The verdict on a stack that nobody is deploying, and that was in state ``before`` with this ``sentence``.

    What keeps ending runs for a moment in between, and is started again: it has failed until it keeps running. What
    only waited for a host has one now.
    """
    if NO_HOST in sentence and NO_HOST not in status.sentence:
        return status
    trying = status.state is StackState.CONVERGING or (status.state is StackState.RUNNING and status.fresh)
    if not trying or before not in (StackState.FAILED, StackState.DEGRADED):
        return status
    soon = min(status.recheck_seconds or STABLE_SECONDS, STABLE_SECONDS)
    words = sentence if before is StackState.FAILED else status.sentence
    return replace(status, state=before, sentence=words, recheck_seconds=soon)


def lacking(status: StackStatus, missing: Sequence[str]) -> StackStatus:
    """The verdict on a stack whose services ``missing`` were deployed, and are not there any more."""
    if not missing or status.state not in (StackState.RUNNING, StackState.CONVERGING, StackState.DEGRADED):
        return status
    names = ", ".join(missing[:MISSING_SHOWN]) + (" and others" if len(missing) > MISSING_SHOWN else "")
    words = f"{names} {'was' if len(missing) == 1 else 'were'} removed outside the platform: deploy the stack again."
    return replace(status, state=StackState.DEGRADED, sentence=f"{words} {status.sentence}")


def _stack(services: list[ServiceStatus], recheck: float | None, *, fresh: bool) -> StackStatus:
    state = next(state for state in _WORST_FIRST if any(service.state is state for service in services))
    running = sum(service.running for service in services)
    desired = sum(service.desired for service in services)
    working = sum(service.working for service in services)
    count = _count(running + working, desired, sum(service.done for service in services))
    reasons = [service.sentence for service in services if service.state is state]
    if state is StackState.RUNNING:
        sentence = " ".join([f"{count}.", *(one.sentence for one in services if _is_idle(one))][: 1 + IDLE_SHOWN])
    elif state is StackState.CONVERGING:
        waiting = next((reason for reason in reasons if ":" in reason), "")
        sentence = f"{count}. {waiting}".strip()
    else:
        sentence = f"{reasons[0]} {count}."
    only_jobs = state is StackState.CONVERGING and running + working >= desired
    return StackStatus(state, sentence, running, desired, services, recheck, fresh, only_jobs)


def _count(running: int, desired: int, done: int) -> str:
    """In words; ``running`` counts the ``done`` too."""
    return f"{running - done} of {desired} tasks running{f', {done} done' if done else ''}"


def _is_idle(service: ServiceStatus) -> bool:
    """It has a task on every host that fits, and none does."""
    return service.mode.startswith("global") and not service.desired


class _ServiceJudge:
    """One service; ``recheck`` is known after :meth:`status`."""

    def __init__(self, service: Json, tasks: list[Json], nodes: list[Json], now: datetime) -> None:
        self.service = service
        self.mode, self.desired = _wanted(service, nodes)
        self.slots = slots_of(service, tasks, nodes, now, job="job" in self.mode)
        self.recheck: float | None = min(
            (slot.changes_in for slot in self.slots if slot.changes_in is not None), default=None
        )
        # Sorted so that the best slots count towards the wanted number while an update replaces others.
        self.slots.sort(key=lambda slot: slot.fate)
        self.looping = False

    def status(self) -> ServiceStatus:
        counted = self.slots[: self.desired]
        running = sum(slot.fate is Fate.GOOD for slot in counted)
        state, reason = self._updating() or self._tasks(counted, running)
        name = text(part(self.service, "Spec", "Name"), 255)
        done = sum(slot.done for slot in counted)
        working = sum(slot.working for slot in counted)
        count = _count(running + working, self.desired, done)
        gone_back = text(part(self.service, "UpdateStatus", "State"), 40).startswith("rollback")
        failures = [failure for slot in self.slots for failure in (slot.history if gone_back else slot.failures)]
        failures.sort(key=lambda failure: failure.at, reverse=True)
        return ServiceStatus(
            id=text(self.service.get("ID"), 64),
            name=name,
            mode=self.mode,
            desired=self.desired,
            running=running,
            state=state,
            sentence=f"{name}: {reason}" if reason else f"{name} has {count}.",
            image=image_of(part(self.service, "Spec", "TaskTemplate")),
            ports=_ports(self.service),
            update_state=text(part(self.service, "UpdateStatus", "State"), 40),
            failures=failures[:FAILURES_SHOWN],
            done=done,
            working=working,
        )

    def patient(self, status: ServiceStatus) -> ServiceStatus:
        """While other services still start, a crash may just mean that this one waits for them."""
        if not self.looping or status.state is not StackState.FAILED:
            return status
        return ServiceStatus(**{**vars(status), "state": StackState.CONVERGING})

    def _updating(self) -> tuple[StackState, str] | None:
        update = text(part(self.service, "UpdateStatus", "State"), 40)
        said = text(part(self.service, "UpdateStatus", "Message"), 300)
        why = self._error_named_in(said)
        if update == "rollback_completed":
            return StackState.ROLLED_BACK, f"the update failed and was rolled back. {why}"
        if update == "rollback_started":
            return StackState.CONVERGING, f"the update failed and is being rolled back. {why}"
        if update == "rollback_paused":
            return StackState.FAILED, f"the update failed, and going back failed too. {why}"
        if update == "paused":
            return StackState.FAILED, f"the update failed and stopped half way. {why}"
        if update == "updating":
            return StackState.CONVERGING, ""
        return None

    def _error_named_in(self, message: str) -> str:
        """The swarm names the task that made an update fail, while it lasts; its error says more."""
        failures = [failure for slot in self.slots for failure in slot.history if failure.error]
        failures.sort(key=lambda failure: (failure.task_id in message, failure.at))
        words = failures[-1].error if failures else message
        return last_error(words) if words else ""

    def _tasks(self, counted: list[Slot], running: int) -> tuple[StackState, str]:
        if running >= self.desired:
            return StackState.RUNNING, self._no_host()
        missing = [slot for slot in counted if slot.fate is not Fate.GOOD]
        missing += [Slot(Fate.MOVING)] * (self.desired - len(counted))
        worst = max(missing, key=lambda slot: slot.fate)
        reason = next((slot.reason for slot in missing if slot.fate is worst.fate and slot.reason), "")
        if worst.fate is Fate.MOVING:
            return StackState.CONVERGING, reason
        if running:
            return StackState.DEGRADED, reason
        untried = any(slot.fate is Fate.MOVING and not slot.reason for slot in missing)
        if worst.fate is Fate.LOST or untried:
            return StackState.CONVERGING, reason
        self.looping = all(slot.may_recover for slot in missing)
        return StackState.FAILED, reason

    def _no_host(self) -> str:
        """Why a service that has a task on every fitting host has none; "" for others."""
        if self.desired or not self.mode.startswith("global"):
            return ""
        wanted = " and ".join(constraints(part(self.service, "Spec", "TaskTemplate")))
        return f"no host that takes tasks {f'meets {wanted}' if wanted else 'is there'}, so it has no task."


def _wanted(service: Json, nodes: list[Json]) -> tuple[str, int]:
    """The mode's name and how many tasks it wants now."""
    mode = mapping(part(service, "Spec", "Mode"))
    if "Global" in mode:
        return "global", _eligible(service, nodes)
    if "GlobalJob" in mode:
        return "global-job", _eligible(service, nodes)
    if "ReplicatedJob" in mode:
        job = mapping(mode["ReplicatedJob"])
        return "replicated-job", number(job.get("TotalCompletions", job.get("MaxConcurrent", 1)))
    replicas = part(mode, "Replicated", "Replicas")
    return "replicated", 1 if replicas is None else max(number(replicas), 0)


def _eligible(service: Json, nodes: list[Json]) -> int:
    wanted = []
    for expression in sequence(part(service, "Spec", "TaskTemplate", "Placement", "Constraints")):
        try:
            wanted.append(read_constraint(text(expression, 500)))
        except ValueError:
            return 0
    active = [node for node in nodes if answers(node) and part(node, "Spec", "Availability") == "active"]
    return sum(all(constraint.matches(_host(node)) for constraint in wanted) for node in active)


def _host(node: Json) -> HostFacts:
    def labels(*path: str) -> dict[str, str]:
        return {key: text(value, 500) for key, value in mapping(part(node, *path)).items()}

    return HostFacts(
        name=text(part(node, "Description", "Hostname"), 255),
        role=text(part(node, "Spec", "Role"), 20),
        labels=labels("Spec", "Labels"),
        arch=text(part(node, "Description", "Platform", "Architecture"), 20),
        os=text(part(node, "Description", "Platform", "OS"), 20),
        node_id=text(node.get("ID"), 64),
        address=text(part(node, "Status", "Addr"), 64),
        engine_labels=labels("Description", "Engine", "Labels"),
    )


def _ports(service: Json) -> list[str]:
    found = []
    for port in sequence(part(service, "Endpoint", "Ports"))[:200]:
        published, target = number(part(port, "PublishedPort")), number(part(port, "TargetPort"))
        found.append(f"{published}:{target}/{text(part(port, 'Protocol'), 8) or 'tcp'}")
    return found
