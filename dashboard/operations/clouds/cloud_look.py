"""One look at the project of a cloud account, and what follows from it for its hosts and leftovers."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from dashboard.models import CloudAccount, Environment, Host, HostState, MachineState, Operation, OperationState
from dashboard.models.auditing import record
from dashboard.models.hints import environment_group, hint
from platform_manager import wiring
from platform_manager.clouds.seen import Seen, as_listed
from platform_manager.errors import PlatformError, ProviderError, UserError

from . import claims
from .drivers import link_of
from .group_watch import keep_right
from .machine_states import Verdict, gone, judged

if TYPE_CHECKING:
    from platform_manager.clouds.openstack.connection import Cloud
    from platform_manager.clouds.openstack.leftovers import Thing

log = logging.getLogger("platform.clouds")

LOOK_SECONDS = 90.0
# Security groups, volumes and key pairs are listed this seldom, unless something else speaks for leftovers; then
# groups are put right as well.
LEFTOVERS_SECONDS = 900.0
# At least for so long, what a look missed is remembered.
MISSED_SECONDS = 60.0
# A look that fails sooner holds up no other.
SLOW_SECONDS = 10.0
MAKING = ("add_hosts", "remove_host", "recreate_host", "start_host", "delete_environment")
# In these a host is as its operation left it.
SETTLED = (HostState.ACTIVE, HostState.RECONNECTING, HostState.DISCONNECTED, HostState.FAILED)


# A host with an address that its machine lacked, or with "" where there was no machine.
Missed = frozenset[tuple[UUID, str]]


@dataclass
class Memory:
    """What one worker's looks at a project leave for its next one: what the last look missed, and when all was listed.

    Of a cloud that does not answer: how often in a row, and until when it is left in peace.
    """

    missed: Missed = frozenset()
    missed_at: float = 0.0
    listed_at: float = field(default_factory=lambda: time.monotonic() - LEFTOVERS_SECONDS)
    silences: int = 0
    quiet_until: float = 0.0

    def compare(self, hosts: Iterable[Host], seen: Iterable[Seen]) -> None:
        """Write what became of the hosts. What was missed long ago counts no more: others have looked since."""
        lasting = max(2 * settings.PM_CLOUD_WATCH_SECONDS, MISSED_SECONDS)
        recent = time.monotonic() - self.missed_at <= lasting
        self.missed = compare(hosts, seen, self.missed if recent else frozenset())
        self.missed_at = time.monotonic()

    def failed(self, seconds: float) -> None:
        """A look ended without an answer. After one that took long the next waits, for longer and longer."""
        if seconds < SLOW_SECONDS:
            return
        self.silences += 1
        pause = settings.PM_CLOUD_WATCH_SECONDS * 2.0 ** min(self.silences, 10)
        self.quiet_until = time.monotonic() + min(pause, LEFTOVERS_SECONDS)

    def answered(self) -> None:
        self.silences, self.quiet_until = 0, 0.0


@dataclass(frozen=True)
class UnderWay:
    """The hosts and environments on which an operation is at work, or waits to be."""

    hosts: frozenset[str]
    environments: frozenset[str]

    def __or__(self, other: UnderWay) -> UnderWay:
        return UnderWay(self.hosts | other.hosts, self.environments | other.environments)

    @classmethod
    def now(cls) -> UnderWay:
        unfinished = Operation.objects.filter(
            kind__in=MAKING, state__in=(OperationState.QUEUED, OperationState.RUNNING)
        )
        found = list(unfinished.values_list("environment", "args"))
        named = {str(pk) for _, args in found for pk in [args.get("host"), *(args.get("hosts") or [])]}
        return cls(frozenset(named), frozenset(str(environment) for environment, _ in found))


def look_at(account: CloudAccount, memory: Memory) -> None:
    """Ask the account's cloud, and write what changed. A cloud that is away changes nothing."""
    begun, since, before = timezone.now(), time.monotonic(), UnderWay.now()
    hosts = settled(account.hosts.all())
    listing = bool(account.leftovers) or time.monotonic() - memory.listed_at >= LEFTOVERS_SECONDS
    try:
        cloud = link_of(account).cloud
        # It would be over before the next look, and somebody's form would wait for another.
        cloud.renew_before(LEFTOVERS_SECONDS + LOOK_SECONDS)
        seen, things = wiring.run(_ask(cloud, bool(hosts), listing, _known()), LOOK_SECONDS)
        link_of(account)  # shares a new sign-in
    except UserError as error:
        tell(account, str(error))
        return
    except ProviderError as error:
        memory.failed(time.monotonic() - since)
        log.info("cloud account %s: %s", account.pk, error)
        return
    memory.answered()
    if not tell(account, ""):
        return
    busy = before | UnderWay.now()
    memory.compare([host for host in hosts if str(host.pk) not in busy.hosts], seen)
    if things is not None:
        _keep_leftovers(account, things, busy, begun)
        if keep_right(account, hosts):
            memory.listed_at = time.monotonic()


def look_at_local(memory: Memory) -> None:
    """The nested hosts of this machine's engine, which take no account."""
    before, hosts = UnderWay.now(), settled(Host.objects.filter(driver="local"))
    if not hosts:
        return
    try:
        machines = wiring.run(wiring.driver("local").list_machines(), LOOK_SECONDS)
    except PlatformError as error:
        log.info("this machine's engine: %s", error)
        return
    busy = before | UnderWay.now()
    memory.compare([host for host in hosts if str(host.pk) not in busy.hosts], map(as_listed, machines))


def settled(hosts: Iterable[Host]) -> list[Host]:
    """Those whose machine was made, and that are not on their way to be another's or nobody's."""
    found = [host for host in hosts if host.provider_id and host.state in SETTLED]
    environments = Environment.objects.filter(pk__in={host.environment_id for host in found}, removing_since=None)
    alive = set(environments.values_list("pk", flat=True))
    return [host for host in found if host.environment_id in alive]


def compare(hosts: Iterable[Host], seen: Iterable[Seen], missed: Missed) -> Missed:
    """Write what became of the hosts' machines; what of them is missing.

    A cloud's database may lag: only what was ``missed`` before too is gone.
    """
    by_id: dict[str, Seen] = {}
    by_host: dict[str, Seen] = {}
    for one in seen:
        if not one.going:
            by_id[one.id] = by_host[one.host] = one
    missing: set[tuple[UUID, str]] = set()
    for host in hosts:
        found = by_id.get(host.provider_id) or by_host.get(str(host.pk))
        if found is None:
            missing.add((host.pk, ""))
        verdict = judged(host, found) if found else gone(host) if (host.pk, "") in missed else None
        if verdict is not None:
            lacking = [address for address in host.addresses if address not in verdict.addresses]
            missing |= {(host.pk, address) for address in lacking}
            kept = [address for address in lacking if (host.pk, address) not in missed]
            _write(host, verdict._replace(addresses=[*verdict.addresses, *kept]))
    return frozenset(missing)


@transaction.atomic
def _write(host: Host, verdict: Verdict) -> None:
    """Nothing where all is known already, or where an operation got hold of the host meanwhile."""
    if verdict == (host.machine, host.machine_detail, host.addresses):
        return
    rows = Host.objects.filter(pk=host.pk, provider_id=host.provider_id, state__in=SETTLED)
    fresh = rows.exclude(machine=verdict.machine, machine_detail=verdict.detail, addresses=verdict.addresses)
    values = {"machine": verdict.machine, "machine_detail": verdict.detail, "addresses": verdict.addresses}
    if not fresh.update(**values, machine_seen_at=timezone.now()):
        return
    hint(environment_group(host.environment_id), what="rows")
    if (host.machine or MachineState.RUNNING, host.addresses) != (verdict.machine, verdict.addresses):
        told = f"{verdict.machine}: {verdict.detail}".strip(": ")
        record("host.machine", host, environment=host.environment, noticed=told, addresses=verdict.addresses)


@dataclass(frozen=True)
class Known:
    """The ids of all hosts and environments there are; what is marked with others is left over."""

    hosts: frozenset[str]
    environments: frozenset[str]


def _known() -> Known:
    alive = Environment.objects.alive()
    return Known(
        frozenset(map(str, Host.objects.values_list("pk", flat=True))),
        frozenset(map(str, alive.values_list("pk", flat=True))),
    )


async def _ask(cloud: Cloud, has_hosts: bool, listing: bool, known: Known) -> tuple[list[Seen], list[Thing] | None]:
    """The project's servers where there are hosts; what is left over where that is asked for or likely."""
    from platform_manager.clouds.openstack.leftovers import leftovers
    from platform_manager.clouds.openstack.watch import look

    servers: list[Seen] = []
    if has_hosts:
        found = await look(cloud)
        servers = found.servers
        ours = [mark for mark in found.marks if mark.installation == settings.PM_INSTALLATION]
        listing = listing or any(mark.host not in known.hosts for mark in ours)
    if not listing:
        return servers, None
    return servers, await leftovers(cloud, settings.PM_INSTALLATION, known.hosts, known.environments)


def tell(account: CloudAccount, problem: str) -> bool:
    """Write what is wrong with the account, "" for nothing; False where it was changed since it was asked."""
    fresh = CloudAccount.objects.filter(pk=account.pk).first()
    if fresh is None or (fresh.secret, fresh.region) != (account.secret, account.region):
        return False
    if fresh.problem != problem:
        accepted: Mapping[str, object] = {} if problem else {"verified_at": timezone.now()}
        CloudAccount.objects.filter(pk=account.pk).update(problem=problem, **accepted)
    return True


def _keep_leftovers(account: CloudAccount, things: list[Thing], busy: UnderWay, begun: object) -> None:
    """What an operation is making or removing right now is none, and a clean-up knows better what is left."""
    if account.cleanups.filter(Q(finished_at=None) | Q(finished_at__gt=begun)).exists():
        return
    known, given = _known(), claims.Known(things)
    found = []
    for thing in things:
        if given.claim(thing).whose is claims.Whose.HOST:
            continue
        row = {"kind": str(thing.kind), "id": thing.id, "name": thing.name}
        host, environment = (thing.mark.host, thing.mark.environment) if thing.mark else ("", "")
        if row in account.leftovers or not (environment in busy.environments or host in known.hosts):
            found.append(row)
    if found != account.leftovers:
        CloudAccount.objects.filter(pk=account.pk).update(leftovers=found)
