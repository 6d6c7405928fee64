"""What a swarm has now, as far as a recipe can depend on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from dashboard.models import Environment, Host, OperationState
from platform_manager import recipes
from platform_manager.swarm import snapshot as records
from platform_manager.swarm.ports import published

Ports = dict[tuple[int, str], str]
LOCAL = "local"
# What was read may have been asked for so much earlier than it was written down.
LAG = timedelta(seconds=10)


def environment_facts(environment: Environment, stack_name: str) -> recipes.EnvironmentFacts:
    """From the last snapshot; what belongs to ``stack_name`` itself stands in nobody's way."""
    row = environment.snapshot
    every = records.load(records.Network, row.networks)
    networks = [one for one in every if one.scope != LOCAL]
    services = records.load(records.Service, row.services)
    others = [one for one in services if one.stack != stack_name or not stack_name]
    everywhere, on_hosts = _ports(others)
    owners: dict[str, Mapping[str, str | None]] = {
        "services": {service.name: service.stack for service in services},
        "volumes": {volume.name: volume.stack for volume in records.load(records.Volume, row.volumes)},
        "secrets": records.load_owners(row.secrets),
        "configs": records.load_owners(row.configs),
    }
    return recipes.EnvironmentFacts(
        stack_name=stack_name,
        mtu=environment.swarm_mtu or 1500,
        networks={network.name for network in networks},
        network_drivers={network.name: network.driver for network in networks},
        network_mtus={network.name: network.mtu for network in networks},
        network_stacks={network.name: network.stack for network in networks},
        closed_networks={network.name for network in networks if not network.attachable},
        local_networks={network.name: network.driver for network in every if network.scope == LOCAL},
        neighbours=_neighbours(others, networks),
        volumes=set(owners["volumes"]),
        secrets=set(owners["secrets"]),
        configs=set(owners["configs"]),
        owners=owners,
        published_ports=everywhere,
        host_ports=on_hosts,
        hosts=_hosts(environment, records.load(records.Node, row.nodes), _held(row.tasks)),
        existing_stacks=set(environment.stacks.values_list("name", flat=True)),
        foreign_stacks=_foreign(environment, row.read_at, {one.stack for one in services}),
    )


def _foreign(environment: Environment, read_at: datetime | None, names: set[str]) -> set[str]:
    """The stacks that were deployed outside the platform; not those it removed since the swarm was read."""
    lately = Q(finished_at=None) | Q(finished_at__gte=(read_at or timezone.now()) - LAG)
    stopped = (OperationState.FAILED, OperationState.CANCELLED)
    gone = environment.operations.filter(lately, kind="remove_stack").exclude(state__in=stopped)
    known = environment.stacks.values_list("name", flat=True)
    return names - {""} - set(known) - set(gone.values_list("args__stack", flat=True))


def _held(tasks: str) -> Mapping[str, list[recipes.Held]]:
    """By node, what the tasks there reserve, a line a service. The swarm counts a task until it has ended."""
    found: defaultdict[str, dict[str, recipes.Held]] = defaultdict(dict)
    for task in records.load(records.Task, tasks):
        if not task.node_id or task.state in records.ENDED:
            continue
        before = found[task.node_id].get(task.service_id) or recipes.Held(task.service, task.stack)
        found[task.node_id][task.service_id] = replace(
            before, tasks=before.tasks + 1, cpus=before.cpus + task.cpus, memory=before.memory + task.memory
        )
    return {node_id: list(of_node.values()) for node_id, of_node in found.items()}


def _hosts(
    environment: Environment, nodes: list[records.Node], held: Mapping[str, list[recipes.Held]]
) -> list[recipes.HostFacts] | None:
    """Those that take tasks; None while nobody has read the swarm."""
    if not nodes:
        return None
    rows = {host.node_id: host for host in environment.hosts.exclude(node_id="")}
    takes_tasks = (node for node in nodes if node.answers and node.availability == "active")
    return [_host(node, rows.get(node.id), held.get(node.id, [])) for node in takes_tasks]


def _host(node: records.Node, row: Host | None, held: list[recipes.Held]) -> recipes.HostFacts:
    told = row.facts if row and isinstance(row.facts, dict) else {}
    return recipes.HostFacts(
        name=row.name if row else node.hostname,
        role=node.role,
        labels=node.labels,
        hostname=node.hostname,
        arch=node.arch,
        node_id=node.id,
        address=node.address,
        cpus=node.cpus,
        memory=node.memory,
        max_map_count=records.number(told.get("max_map_count")),
        held=tuple(held),
    )


def _ports(services: Iterable[records.Service]) -> tuple[Ports, Ports]:
    """Ports with the services that hold them: through the whole swarm, and on the hosts of their tasks only."""
    everywhere: Ports = {}
    on_hosts: Ports = {}
    for service in services:
        for port in published(service):
            (on_hosts if port.host else everywhere)[port.port, port.protocol] = service.name
    return everywhere, on_hosts


def _neighbours(
    services: Iterable[records.Service], networks: Iterable[records.Network]
) -> Mapping[str, Mapping[str, str]]:
    """By network, the names under which services reach each other there."""
    names = {network.id: network.name for network in networks}
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for service in services:
        short = service.name.removeprefix(f"{service.stack}_") if service.stack else service.name
        for network in service.networks:
            for name in (short, *service.aliases):
                found[names.get(network, network)].setdefault(name, service.name)
    return dict(found)
