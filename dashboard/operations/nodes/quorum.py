"""How many managers a swarm keeps: an odd number, at most what its environment wants, and never without a majority."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dashboard.models import Host, HostRole, HostState
from platform_manager.swarm.cluster import manager_target


def managers_of(hosts: Sequence[Host]) -> list[Host]:
    return [host for host in hosts if host.role == HostRole.MANAGER]


def answering(hosts: Sequence[Host]) -> list[Host]:
    return [host for host in hosts if host.state == HostState.ACTIVE]


def promotable(hosts: Sequence[Host]) -> list[Host]:
    return [host for host in answering(hosts) if host.role == HostRole.WORKER and host.node_id]


def holds(managers: Sequence[Host]) -> bool:
    """Whether a majority of these managers answers."""
    return len(answering(managers)) >= len(managers) // 2 + 1


def after_joining(
    wanted: int, swarm: Sequence[Host], fresh: Sequence[Host], planned: Collection[str] = ()
) -> tuple[list[Host], list[Host]]:
    """Which of the fresh hosts join the swarm as managers, and which of its workers are promoted.

    Fresh hosts that are meant to be managers come first, and workers whose ids are ``planned``.
    """
    have = len(managers_of(swarm))
    missing = max(0, manager_target(wanted, len(swarm) + len(fresh)) - have)
    chosen = sorted(fresh, key=lambda host: (host.role != HostRole.MANAGER, host.name))[:missing]
    workers = sorted(promotable(swarm), key=lambda host: (str(host.pk) not in planned, host.name))
    promote = workers[: missing - len(chosen)]
    if (have + len(chosen) + len(promote)) % 2 == 0 and (promote or chosen):
        (promote or chosen).pop()
    return chosen, promote


def after_removal(wanted: int, others: Sequence[Host]) -> tuple[list[Host], list[Host]]:
    """Which of the hosts that stay are promoted, and which managers among them become workers, lost ones first."""
    managers = managers_of(others)
    target = manager_target(wanted, len(others))
    promote = promotable(others)[: max(0, target - len(managers))]
    lost_first = sorted(managers, key=lambda host: (host.state == HostState.ACTIVE, host.name))
    demote = lost_first[: max(0, len(managers) - target)]
    if (len(managers) + len(promote) - len(demote)) % 2 == 0:
        if promote:
            promote.pop()
        else:
            demote = lost_first[: len(demote) + 1]
    return promote, demote
