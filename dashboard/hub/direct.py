"""Hosts that the platform dials: which, with what key, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.db import transaction

from dashboard.models import Host, HostState, LinkKind
from dashboard.models.facts import addresses_of, facts_of
from dashboard.models.hints import environment_group, hint
from dashboard.models.hosts import FIRST_SEEN
from platform_manager.engines.dialling import Target
from platform_manager.reachable import may_be_a_neighbour, may_be_reached

# Before these there is no machine, or nothing listens on it yet; a failed one may have been late.
EARLY = (HostState.REQUESTED, HostState.BUILDING)
# A machine has one or two; a cloud could name all of the internet.
MOST_ADDRESSES = 4


def targets() -> list[Target]:
    """The hosts to dial: those whose machine is there and whose server's key is known, or may be any."""
    found = Host.objects.filter(link=LinkKind.DIRECT).exclude(state__in=EARLY).exclude(host_key="")
    hosts = found.exclude(environment__key=None).select_related("environment__key", "account__preset")
    return [target for host in hosts if (target := _target(host)).addresses]


def _target(host: Host) -> Target:
    return Target(
        host_id=str(host.pk),
        addresses=_reachable(host),
        private_key=str((host.environment.key.private_key or {}).get("private", "")),
        host_key="" if host.host_key == FIRST_SEEN else host.host_key,
    )


def _reachable(host: Host) -> tuple[str, ...]:
    """Floating addresses come last in a row and are dialled first.

    Where a server is, its cloud says, and the cloud is its user's: the platform's own network is out of bounds as it
    is for the cloud itself, and the platform's own machine always. Nested hosts are on that machine.
    """
    addresses = [str(address) for address in reversed(host.addresses)]
    if host.account is not None:
        allowed = may_be_a_neighbour if host.account.may_be_private else may_be_reached
        addresses = [address for address in addresses if allowed(address)]
    return tuple(addresses[:MOST_ADDRESSES])


@transaction.atomic
def told(host_id: str, facts: str, host_key: str) -> None:
    """Write what a host told when it was dialled; the key it showed first is the one that counts from then on."""
    host = Host.objects.select_for_update().filter(pk=host_id).first()
    if host is None:
        return
    body = _parsed(facts)
    host.facts = {**host.facts, **facts_of(body)}
    if host.host_key == FIRST_SEEN:
        host.host_key = host_key
    host.addresses = host.addresses or addresses_of(body.get("addresses"))
    if host.state in (*EARLY, HostState.BOOTING):
        host.state = HostState.BOOTSTRAPPING
    host.save(update_fields=["facts", "host_key", "addresses", "state"])
    hint(environment_group(host.environment_id), what="rows")


def _parsed(facts: str) -> Mapping[str, object]:
    try:
        body = json.loads(facts)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def refused(host_id: str, reason: str) -> None:
    """Say of a host that is not linked why it could not be dialled."""
    sentence = f"Not linked: {reason}. The platform goes on dialling."
    away = Host.objects.filter(pk=host_id, link_up=False, state=HostState.DISCONNECTED).exclude(state_detail=sentence)
    if away.update(state_detail=sentence):
        environment_id = Host.objects.filter(pk=host_id).values_list("environment_id", flat=True).first()
        hint(environment_group(environment_id), what="rows")
