"""Which node of the swarm a host is: the host says so itself, so the swarm is asked as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dashboard.models import Host
from platform_manager.engines.client import EngineClient
from platform_manager.swarm import cluster

from ..context import StepContext
from .managers import on_manager


def refused(context: StepContext, claims: Mapping[Host, str]) -> dict[Host, str]:
    """The hosts that can't be the nodes they claim to be, each with a sentence."""
    errors: dict[Host, str] = {}
    for host, node_id in claims.items():
        error = _refused(context, host, node_id)
        if error:
            errors[host] = f"{host.name} {error}"
    times = Counter(node_id for host, node_id in claims.items() if host not in errors)
    for host, node_id in claims.items():
        if times[node_id] > 1:
            errors.setdefault(host, f"{host.name} and another host say that they are the same node of the swarm.")
    return errors


def _refused(context: StepContext, host: Host, node_id: str) -> str:
    of_others: dict[str, str] = {}
    for other in context.environment.hosts.exclude(pk=host.pk):
        of_others.update({str(address): other.name for address in other.addresses})
        if other.node_id:
            of_others[other.node_id] = other.name

    async def verify(manager: EngineClient) -> str:
        try:
            await cluster.verify_node(manager, node_id, host.addresses, of_others)
        except cluster.NotItsNode as error:
            return str(error)
        return ""

    return on_manager(context, verify, but=host)
