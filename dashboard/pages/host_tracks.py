"""How far the hosts of an operation have come, a row each; all of it is read off the hosts themselves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from dashboard.models import Host, HostState, Operation, OperationState

from .live import Container
from .looks import Badge, badge_of

STAGES = ("Requested", "Building", "Booting", "Bootstrapping", "Linked", "Joined")
REQUESTED, BUILDING, BOOTING, BOOTSTRAPPING, LINKED, JOINED = range(len(STAGES))
KINDS = ("add_hosts", "recreate_host")
EARLY = {
    HostState.REQUESTED: REQUESTED,
    HostState.BUILDING: BUILDING,
    HostState.BOOTING: BOOTING,
    HostState.BOOTSTRAPPING: BOOTSTRAPPING,
}
WAITS = Badge("Linked", "azure", True, "Its link is up; it joins the swarm when the others have called in too.")


class Mark(StrEnum):
    """How a stage stands; the words are for screen readers."""

    DONE = "done"
    NOW = "under way"
    FAILED = "failed"
    AHEAD = "to come"


@dataclass(frozen=True, slots=True)
class HostTrack:
    """``stages`` are the words of :data:`STAGES` with their marks; ``count`` numbers the one the host is in."""

    id: str
    host_id: UUID
    name: str
    badge: Badge
    stages: tuple[tuple[str, Mark], ...]
    count: int


def follows_hosts(kind: str) -> bool:
    """Whether operations of this kind make hosts."""
    return kind in KINDS


def named_hosts(operation: Operation) -> list[str]:
    """The ids of the hosts that the operation is about."""
    named = operation.args.get("hosts") or [operation.args.get("host")]
    return [str(pk) for pk in named if pk]


def host_tracks(operation: Operation) -> Container:
    """Its hosts while it is at work; of one that stopped, those that have not come any further since."""
    return Container(
        id="operation-hosts",
        template="operations/track.html",
        rows=[_track(host, _of_old(operation)) for host in _hosts(operation)],
        shared={"environment": operation.environment},
    )


def _of_old(operation: Operation) -> bool:
    """Whether what is known of the hosts is still that of machines which are to be replaced."""
    return operation.kind == "recreate_host" and not operation.args.get("cleared")


def _hosts(operation: Operation) -> list[Host]:
    if not follows_hosts(operation.kind) or operation.state == OperationState.SUCCEEDED:
        return []
    hosts = operation.environment.hosts.filter(pk__in=named_hosts(operation))
    if not operation.finished:
        return list(hosts)
    # One that was in the swarm once failed of something else.
    stopped = [] if _of_old(operation) else list(hosts.filter(state=HostState.FAILED, node_id=""))
    since = _taken_up_since(operation) if stopped else set()
    return [host for host in stopped if str(host.pk) not in since]


def _taken_up_since(operation: Operation) -> set[str]:
    """Hosts that later operations made or make: how far they are is told by those."""
    later = operation.environment.operations.filter(kind__in=KINDS, pk__gt=operation.pk)
    return {pk for other in later.only("args") for pk in named_hosts(other)}


def _track(host: Host, of_old: bool) -> HostTrack:
    at, mark = (REQUESTED, Mark.NOW) if of_old else _stage(host)
    marks = [Mark.DONE] * at + [mark] + [Mark.AHEAD] * (JOINED - at)
    return HostTrack(
        id=f"track-{host.pk}",
        host_id=host.pk,
        name=host.name,
        badge=WAITS if at == LINKED else badge_of(host),
        stages=tuple(zip(STAGES, marks, strict=True)),
        count=at + 1,
    )


def _stage(host: Host) -> tuple[int, Mark]:
    state = HostState(host.state)
    if state == HostState.FAILED:
        return _last_stage(host), Mark.FAILED
    if state in EARLY:
        return LINKED if host.link_up else EARLY[state], Mark.NOW
    return JOINED, Mark.NOW if state == HostState.JOINING else Mark.DONE


def _last_stage(host: Host) -> int:
    """Where a host stopped, by what it left: its state says no more than that it failed."""
    if host.link_up:
        return JOINED
    if host.facts:
        return BOOTSTRAPPING
    return BOOTING if host.provider_id else BUILDING
