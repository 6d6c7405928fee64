"""What the hub reads and writes in the database; synchronous, called on the hub's own threads."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from dashboard.models import Environment, Host, HostRole, HostState, LinkKind, Revision, Snapshot, Stack, StackState
from dashboard.models.hints import environment_group, hint
from platform_manager.swarm import snapshot

STEADY = (HostState.ACTIVE, HostState.RECONNECTING, HostState.DISCONNECTED)


@dataclass(frozen=True)
class Member:
    """A host as the watcher of its environment sees it."""

    id: str
    name: str
    environment_id: str
    node_id: str
    manager: bool
    link_up: bool
    engine_up: bool


def forget_links() -> None:
    """A hub that starts has no links; hosts dial in again within seconds."""
    Host.objects.filter(link_up=True).update(link_up=False, engine_up=False)


def authorise(username: str, fingerprint: str) -> str | None:
    """The id of the host this key was enrolled for, when it is the one it claims to be."""
    try:
        host = Host.objects.filter(pk=UUID(username)).first()
    except ValueError:
        return None
    if host is None or not hmac.compare_digest(host.key_fingerprint.encode(), fingerprint.encode()):
        return None
    return str(host.pk)


@transaction.atomic
def link_changed(host_id: str, up: bool, detail: str = "") -> str | None:
    """Write the link's state; the id of the host's environment, None when the host is gone."""
    host = _locked(host_id)
    if host is None:
        return None
    host.link_up, host.link_changed_at = up, timezone.now()
    if not up:
        host.engine_up = False
    if host.state in STEADY:
        host.state = HostState.RECONNECTING if up else HostState.DISCONNECTED
        again = "The platform dials it again." if host.link == LinkKind.DIRECT else "It dials in again by itself."
        host.state_detail = "" if up else f"Not linked: {detail}. {again}"
    host.save(update_fields=["link_up", "link_changed_at", "engine_up", "state", "state_detail"])
    hint(environment_group(host.environment_id), what="rows")
    return str(host.environment_id)


@transaction.atomic
def engine_changed(host_id: str, up: bool, version: str = "") -> None:
    """Write whether the engine at the end of a link answers."""
    host = _locked(host_id)
    if host is None or (host.engine_up == up and (not version or host.facts.get("engine_version") == version)):
        return
    host.engine_up = up
    if version:
        host.facts = {**host.facts, "engine_version": version}
    if host.state in STEADY and not up:
        host.state = HostState.DISCONNECTED
        host.state_detail = "Its Docker engine does not answer; the link is up."
    host.save(update_fields=["engine_up", "facts", "state", "state_detail"])
    hint(environment_group(host.environment_id), what="rows")


def _locked(host_id: str) -> Host | None:
    """The host's row until the end of the transaction: operations write its state and delete it meanwhile."""
    return Host.objects.select_for_update().filter(pk=host_id).first()


def mark_lost() -> None:
    """Hosts that had time to dial in after a start of the hub and did not."""
    for host in Host.objects.filter(link_up=False, state__in=(HostState.ACTIVE, HostState.RECONNECTING)):
        link_changed(str(host.pk), False, "there has been no link since the platform started")


def swarms() -> list[str]:
    """The ids of environments that have a swarm, whether any of its hosts is linked or not."""
    with_swarm = Environment.objects.alive().filter(hosts__in=Host.objects.exclude(node_id=""))
    return [str(pk) for pk in with_swarm.distinct().values_list("pk", flat=True)]


def is_alive(environment_id: str) -> bool:
    return Environment.objects.alive().filter(pk=environment_id).exists()


def members(environment_id: str) -> list[Member]:
    return [
        Member(
            id=str(host.pk),
            name=host.name,
            environment_id=environment_id,
            node_id=host.node_id,
            manager=host.role == HostRole.MANAGER and bool(host.node_id),
            link_up=host.link_up,
            engine_up=host.engine_up,
        )
        for host in Host.objects.filter(environment_id=environment_id)
    ]


def node_states(environment_id: str, before: Iterable[Member], nodes: Mapping[str, snapshot.Node]) -> bool:
    """Bring the steady hosts' rows in line with what the swarm says of its ``nodes``, by id; whether any changed.

    ``before`` are the members as they were when the swarm was asked: what an operation has written since is newer
    than the answer.
    """
    asked = {member.id: member for member in before}
    changed = False
    for host in Host.objects.filter(environment_id=environment_id, state__in=STEADY).exclude(node_id=""):
        node = nodes.get(host.node_id)
        state, detail = _state(host, node)
        role = _role(host, node, asked.get(str(host.pk)))
        if (state, detail, role) != (host.state, host.state_detail, host.role):
            same = {name: getattr(host, name) for name in ("state", "role", "node_id", "link_up", "engine_up")}
            unchanged = Host.objects.filter(pk=host.pk, **same)
            changed |= bool(unchanged.update(state=state, state_detail=detail, role=role))
    if changed:
        hint(environment_group(environment_id), what="rows")
    return changed


def _state(host: Host, node: snapshot.Node | None) -> tuple[str, str]:
    if not host.link_up or not host.engine_up:
        return HostState.DISCONNECTED, host.state_detail
    if node is not None and (node.state == "ready" or (node.answers and host.state == HostState.ACTIVE)):
        return HostState.ACTIVE, ""
    return HostState.RECONNECTING, "Its engine answers, but the swarm does not call it ready yet."


def _role(host: Host, node: snapshot.Node | None, asked: Member | None) -> str:
    if node is None or node.role not in HostRole.values or asked is None:
        return host.role
    meanwhile = (asked.node_id, asked.manager) != (host.node_id, host.role == HostRole.MANAGER)
    return host.role if meanwhile else node.role


def write_snapshot(environment_id: str, columns: dict[str, str]) -> None:
    """Write the columns that changed as the next version."""
    Snapshot.objects.get_or_create(environment_id=environment_id)
    Snapshot.objects.filter(environment_id=environment_id).update(
        version=F("version") + 1, read_at=timezone.now(), **columns
    )
    hint(environment_group(environment_id), what="snapshot")


def settled_stacks(environment_id: str) -> list[dict[str, Any]]:
    """Stacks whose state the watcher keeps, with the updates that their last deployment found.

    ``services`` are those of the newest one, as the compose file names them; [] where the swarm did not take it.
    """
    # A deployment that was cancelled before it began found none.
    looked = Revision.objects.filter(stack=OuterRef("pk"), updates_before__isnull=False)
    newest = looked.order_by("-n").values("updates_before")[:1]
    images = Revision.objects.filter(stack=OuterRef("pk")).order_by("-n").values("digests")[:1]
    found = Stack.objects.filter(environment_id=environment_id).exclude(settled_at=None)
    return [
        {
            "id": stack.pk,
            "name": stack.name,
            "state": stack.state,
            "sentence": stack.sentence,
            "updates_before": stack.updates_before,
            "services": sorted(stack.images or ()),
        }
        for stack in found.annotate(updates_before=Subquery(newest), images=Subquery(images))
    ]


def write_stack(environment_id: str, stack_id: Any, state: str, sentence: str) -> None:
    settled = Stack.objects.filter(pk=stack_id).exclude(settled_at=None).exclude(state=StackState.REMOVING)
    if settled.update(state=state, sentence=sentence):
        hint(environment_group(environment_id), what="rows")
