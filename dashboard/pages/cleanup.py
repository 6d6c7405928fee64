"""The clean-up page of a cloud account: what is in its project and whose it is, and the clean-ups so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone

from dashboard.flows.cleanups import MOST_CHOSEN, Found, look_into, project_of, unfinished
from dashboard.forms.clouds import CleanupForm
from dashboard.models import CloudAccount, CloudCleanup, Environment, OperationState
from dashboard.operations.clouds.claims import Claim, Whose
from platform_manager.clouds.openstack.things import MOST, Kind, Thing
from platform_manager.errors import PlatformError

from .looks import Badge

# For so long a clean-up that ended keeps its place at the top.
FRESH = timedelta(minutes=10)
MOST_EARLIER = 10

TITLES = {
    Kind.SERVER: "Servers",
    Kind.PORT: "Ports without a server",
    Kind.FLOATING_IP: "Floating IPs",
    Kind.VOLUME: "Volumes",
    Kind.SECURITY_GROUP: "Security groups",
    Kind.KEY_PAIR: "Key pairs",
}
NOTES = {
    Kind.SERVER: "A server's disks go with it, unless they are volumes that are kept.",
    Kind.KEY_PAIR: "They are the user's, in all projects of the cloud.",
}
OWNERS = {
    Whose.HOST: Badge("Host", "green", False, "A host of the platform: remove the host instead."),
    Whose.ENVIRONMENT: Badge("In use", "green", False, "It belongs to an environment of the platform."),
    Whose.LEFT_OVER: Badge("Left over", "yellow", False, "This platform made it, and knows it no more."),
    Whose.ANOTHER: Badge("Another platform's", "azure", False, "Another installation of the platform made it."),
    Whose.NOBODY: Badge("Not the platform's", "secondary", False, "The platform did not make it."),
}
USED_WORDS = {Kind.VOLUME: "attached to", Kind.FLOATING_IP: "of", Kind.SECURITY_GROUP: "used by"}

PROGRESS = {
    OperationState.QUEUED: Badge("Waiting", "secondary", True, "Its turn comes."),
    OperationState.RUNNING: Badge("Deleting", "azure", True, "The cloud was asked to delete it."),
    OperationState.SUCCEEDED: Badge("Deleted", "green", False, "It is gone."),
    OperationState.FAILED: Badge("Failed", "red", False, "It is still there."),
    OperationState.CANCELLED: Badge("Left alone", "yellow", False, "It was not deleted."),
}
WHOLE = {
    OperationState.QUEUED: Badge("Waiting", "secondary", True, "A worker takes it up as soon as one is free."),
    OperationState.RUNNING: Badge("Running", "azure", True, "A worker deletes one thing after the other."),
    OperationState.SUCCEEDED: Badge("Done", "green", False, "Everything chosen is gone."),
    OperationState.FAILED: Badge("Not all done", "red", False, "Some of it is still there; each says why."),
}


@dataclass(frozen=True)
class ThingRow:
    """``host`` and ``environment`` are what the thing belongs to, where the viewer may know; ``used`` in words."""

    thing: Thing
    claim: Claim
    badge: Badge
    used: str
    created_at: datetime | None
    chosen: bool
    host: str = ""
    environment: str = ""
    environment_id: UUID | None = None

    @property
    def left_over(self) -> bool:
        return self.claim.whose is Whose.LEFT_OVER


@dataclass(frozen=True)
class Group:
    kind: Kind
    rows: list[ThingRow]

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def note(self) -> str:
        cut = f"Only the first {MOST:,} are shown." if len(self.rows) >= MOST else ""
        return f"{NOTES.get(self.kind, '')} {cut}".strip()


@dataclass(frozen=True)
class Progress:
    """A clean-up with its things, each with its state, and how it stands in words."""

    row: CloudCleanup
    things: list[tuple[dict[str, Any], Badge]]

    @property
    def running(self) -> bool:
        return not OperationState(self.row.state).finished

    @property
    def badge(self) -> Badge:
        return WHOLE[OperationState(self.row.state)]

    @property
    def deleted(self) -> int:
        return sum(thing["state"] == OperationState.SUCCEEDED for thing, _ in self.things)

    @property
    def ended(self) -> int:
        return sum(OperationState(thing["state"]).finished for thing, _ in self.things)

    @property
    def sentence(self) -> str:
        return f"{self.deleted} of {len(self.things)} deleted"


@dataclass
class CleanupPage:
    """``groups`` is None until the cloud was asked; ``trouble`` is why it did not tell."""

    account: CloudAccount
    viewer: User
    form: CleanupForm
    groups: list[Group] | None = None
    trouble: str = ""
    latest: Progress | None = None
    most: int = MOST_CHOSEN
    earlier: list[Progress] = field(default_factory=list)

    @property
    def project(self) -> str:
        return project_of(self.account)

    @property
    def running(self) -> bool:
        return self.latest is not None and self.latest.running

    @property
    def wrong(self) -> str:
        """All that is wrong with what was asked for, where there is no form beside which it could stand."""
        return " ".join(str(error) for errors in self.form.errors.values() for error in errors)

    @property
    def left_over(self) -> int:
        return sum(row.left_over for group in self.groups or [] for row in group.rows)

    @property
    def selectable(self) -> int:
        return sum(not row.claim.refusal for group in self.groups or [] for row in group.rows)


def cleanup_page(account: CloudAccount, viewer: User, form: CleanupForm | None = None) -> CleanupPage:
    """The page without its lists, which take the cloud's time: see :func:`with_lists`."""
    page = CleanupPage(account, viewer, form or CleanupForm())
    rows = [progress(row) for row in account.cleanups.all()[: MOST_EARLIER + 1]]
    if rows and (rows[0].running or _fresh(rows[0].row)):
        page.latest = rows.pop(0)
    page.earlier = rows[:MOST_EARLIER]
    return page


def with_lists(page: CleanupPage) -> CleanupPage:
    """The page with what is in the project now, unless a clean-up is changing it."""
    if unfinished(page.account) is not None:
        return page
    try:
        found = look_into(page.account)
    except PlatformError as error:
        page.trouble = str(error)
        return page
    chosen = set(page.form["chosen"].value() or [])
    page.groups = _groups(page, found, chosen)
    return page


def progress(row: CloudCleanup) -> Progress:
    return Progress(row, [(thing, PROGRESS[OperationState(thing["state"])]) for thing in row.things])


def _fresh(row: CloudCleanup) -> bool:
    return row.finished_at is not None and row.finished_at > timezone.now() - FRESH


def _groups(page: CleanupPage, found: Iterable[Found], chosen: set[str]) -> list[Group]:
    named, open_to = _environments(page)
    rows: dict[Kind, list[ThingRow]] = {}
    for one in found:
        rows.setdefault(one.thing.kind, []).append(_row(one, chosen, named, open_to))
    return [Group(kind, of_kind) for kind, of_kind in rows.items()]


def _environments(page: CleanupPage) -> tuple[set[UUID], set[UUID]]:
    """Environments whose names the viewer may read, for hosts of the account are in them, and those they may open."""
    open_to = set(Environment.objects.visible_to(page.viewer).values_list("pk", flat=True))
    return open_to | set(page.account.hosts.values_list("environment_id", flat=True)), open_to


def _row(one: Found, chosen: set[str], named: set[UUID], open_to: set[UUID]) -> ThingRow:
    thing, claim = one.thing, one.claim
    environment = claim.host.environment if claim.host else claim.environment
    known = environment is not None and environment.pk in named
    return ThingRow(
        thing=thing,
        claim=claim,
        badge=OWNERS[claim.whose],
        used=_used(thing),
        created_at=_moment(thing.created_at),
        chosen=thing.key in chosen and not claim.refusal,
        host=claim.host.name if claim.host and known else "",
        environment=environment.name if environment and known else "",
        environment_id=environment.pk if environment and environment.pk in open_to else None,
    )


def _used(thing: Thing) -> str:
    if thing.kind not in USED_WORDS:
        return ""
    if not thing.used_by:
        return "unused"
    names = ", ".join(thing.used_by[:3])
    more = f" and {len(thing.used_by) - 3} more" if len(thing.used_by) > 3 else ""
    return f"{USED_WORDS[thing.kind]} {names}{more}"


def _moment(text: str) -> datetime | None:
    """A cloud's time; block storage leaves out that it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
