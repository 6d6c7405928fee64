"""The published ports of an environment: which services publish them, and to whom they are open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.http import Http404

from dashboard.flows.ports import KEPT, nothing_to_open, places
from dashboard.models import Environment, OpenPort, Operation, OperationState
from dashboard.models.openings import EVERYBODY
from dashboard.operations.clouds.open_ports import NAME, Asked, who
from platform_manager.swarm.ports import published

from .lists import listing
from .live import Container, Page
from .looks import Badge
from .operation_rows import notices
from .snapshot import SnapshotView, read
from .viewer import Viewer

# SQLite takes no larger number.
LARGEST_ID = 2**63 - 1
RECENT = 200
OPEN = Badge("Open", "green", False, "The security groups let it in.")
WAITING = Badge("Waiting", "secondary", False, "No host is in a cloud now: it opens with the next one that is.")
OPENING = Badge("Opening", "azure", True, "Its operation puts the security groups right.")
CLOSING = Badge("Closing", "yellow", True, "Its operation puts the security groups right.")
HALF_OPEN = Badge("Not sure", "red", False, "Opening it stopped: it may be open in some of the clouds only.")
HALF_CLOSED = Badge("Not closed", "red", False, "Closing it stopped: it may still be open.")
CLOSED = Badge("Closed", "secondary", False, "The environment's own security group lets nobody in.")


class Publisher(NamedTuple):
    """A service that publishes the port. ``host``: on the hosts of its tasks only."""

    service_id: str
    name: str
    target: int
    host: bool


class Opening(NamedTuple):
    """Who is let in, or is about to be; ``pk`` is None while the operation has not begun."""

    pk: int | None
    who: str
    badge: Badge
    operation_id: UUID | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class PortRow:
    id: str
    port: int
    protocol: str
    publishers: tuple[Publisher, ...]
    openings: tuple[Opening, ...]
    openable: bool
    closed: Badge = CLOSED

    @property
    def word(self) -> str:
        return f"{self.port}/{self.protocol}"

    @property
    def to_everybody(self) -> bool:
        """Whether nobody is left to open it to."""
        return any(opening.who == who(EVERYBODY) for opening in self.openings)

    def told(self) -> Iterable[str]:
        yield self.word
        for publisher in self.publishers:
            yield publisher.name
        for opening in self.openings:
            yield from (opening.who, opening.badge.word)


Port = tuple[int, str]


def publishers(view: SnapshotView) -> dict[Port, list[Publisher]]:
    """By port and protocol; on the hosts of their tasks several services may have one port."""
    found: dict[Port, list[Publisher]] = {}
    for service in view.services:
        for port, target, protocol, host in published(service):
            found.setdefault((port, protocol), []).append(Publisher(service.id, service.name, target, host))
    return found


def unsettled(environment: Environment) -> dict[Asked, Operation]:
    """The newest operation for each port since all was last put right, as far as it may have changed something."""
    found: dict[Asked, Operation] = {}
    for operation in environment.operations.filter(kind=NAME).order_by("-id")[:RECENT]:
        if operation.state == OperationState.SUCCEEDED:
            break
        if operation.state != OperationState.CANCELLED or operation.started_at:
            key = Asked(**{**operation.args, "open": True})
            found.setdefault(key, operation)
    return found


def openings(environment: Environment) -> dict[Port, list[Opening]]:
    under_way, settled = unsettled(environment), WAITING if nothing_to_open(environment) else OPEN
    found: dict[Port, list[Opening]] = {}
    for row in environment.open_ports.all():
        operation = under_way.pop(Asked(True, row.protocol, row.port, row.source), None)
        found.setdefault((row.port, row.protocol), []).append(_opening(row, operation, settled))
    for asked, operation in under_way.items():
        if not operation.finished and operation.args["open"]:
            waiting = Opening(None, who(asked.source), OPENING, operation.pk, None)
            found.setdefault((asked.port, asked.protocol), []).append(waiting)
    return found


def _opening(row: OpenPort, operation: Operation | None, badge: Badge) -> Opening:
    """``badge`` is for one with which nothing is under way."""
    if operation is not None:
        opens = operation.args["open"]
        moving, stopped = (OPENING, HALF_OPEN) if opens else (CLOSING, HALF_CLOSED)
        badge = stopped if operation.finished else moving
    return Opening(row.pk, who(row.source), badge, operation.pk if operation else None, row.opened_at)


def port_rows(environment: Environment, view: SnapshotView) -> list[PortRow]:
    """The ports that services publish and those that are open, in order."""
    by, to = publishers(view), openings(environment)
    return [
        PortRow(
            id=f"port-{port}-{protocol}",
            port=port,
            protocol=protocol,
            publishers=tuple(by.get((port, protocol), ())),
            openings=tuple(to.get((port, protocol), ())),
            openable=port not in KEPT and protocol in OpenPort.Protocol.values,
        )
        for port, protocol in sorted({*by, *to})
    ]


def reach(environment: Environment) -> str:
    """Where open ports are reached, as a sentence."""
    found = places(environment)
    if not found:
        return "No host has a floating IP: what is open is reached from within the cloud's network only."
    told = ", ".join(f"{place.address} ({place.host})" for place in found[:9])
    more = f" and {len(found) - 9} more" if len(found) > 9 else ""
    return f"Open ports are reached at {told}{more}."


def ports_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    view = read(viewer.environment)
    found = listing(port_rows(viewer.environment, view), params, PortRow.told)
    nothing = nothing_to_open(viewer.environment)
    shared = {**viewer.shared, "nothing": nothing}
    empty = "ports/_nothing_found.html" if found.query else "ports/_empty.html"
    context = {
        **shared,
        "notices": notices(viewer),
        "view": view,
        "listing": found,
        "reach": "" if nothing else reach(viewer.environment),
        "ports": Container("ports", "ports/_row.html", found.items, empty, shared),
    }
    return Page("ports", "ports/list.html", context, found.params)


def opening_of(viewer: Viewer, opening_id: int) -> OpenPort:
    found = viewer.environment.open_ports.filter(pk=opening_id).first() if opening_id <= LARGEST_ID else None
    if found is None:
        raise Http404("This port is not open (any more).")
    return found
