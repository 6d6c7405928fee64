"""Every swarm of up to six hosts, managers and workers, some of them lost: a majority is never given up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement, product

import pytest

from dashboard.flows.hosts import plan_hosts, removal_plan
from dashboard.models import Host, HostRole, HostState
from dashboard.operations.nodes import quorum
from tests import factories

KINDS = {
    "M": (HostRole.MANAGER, HostState.ACTIVE),
    "m": (HostRole.MANAGER, HostState.DISCONNECTED),
    "W": (HostRole.WORKER, HostState.ACTIVE),
    "w": (HostRole.WORKER, HostState.DISCONNECTED),
}


def hosts(kinds: Sequence[str]) -> list[Host]:
    return [
        Host(name=f"fw-{n}", node_id=f"node-{n}", role=KINDS[kind][0], state=KINDS[kind][1])
        for n, kind in enumerate(kinds)
    ]


def swarms(most: int) -> Iterator[list[Host]]:
    """With a majority of managers that answers; small letters are lost hosts."""
    for number in range(1, most + 1):
        for kinds in combinations_with_replacement("MmWw", number):
            found = hosts(kinds)
            if quorum.managers_of(found) and quorum.holds(quorum.managers_of(found)):
                yield found


def spelled(swarm: Sequence[Host]) -> str:
    return "".join(next(kind for kind, is_ in KINDS.items() if is_ == (host.role, host.state)) for host in swarm)


@pytest.mark.parametrize("wanted", [1, 3, 5])
def test_a_removal_keeps_the_majority_at_every_moment_and_leaves_an_odd_number(wanted: int) -> None:
    for swarm in swarms(6):
        for host in quorum.managers_of(swarm):
            others = [other for other in swarm if other is not host]
            if not quorum.managers_of(others) or not quorum.holds(quorum.managers_of(others)):
                continue  # refused
            promote, demote = quorum.after_removal(wanted, others)
            managers = quorum.managers_of(swarm)
            for change in [*promote, host, *demote]:
                managers = [*managers, change] if change in promote else [m for m in managers if m is not change]
                assert quorum.holds(managers), (spelled(swarm), host.name, change.name)
            assert len(managers) % 2 == 1, (spelled(swarm), host.name)
            assert len(managers) <= max(wanted, 1), (spelled(swarm), host.name)
            lost = [manager for manager in managers if manager.state != HostState.ACTIVE]
            assert not (lost and quorum.answering(demote)), (spelled(swarm), host.name)


@pytest.mark.parametrize(("wanted", "fresh"), list(product([1, 3, 5], [1, 2, 3, 4])))
def test_hosts_that_join_bring_the_wanted_managers_and_never_make_them_even(wanted: int, fresh: int) -> None:
    for swarm in [[], *swarms(4)]:
        have = quorum.managers_of(swarm)
        chosen, promote = quorum.after_joining(wanted, swarm, hosts("M" * fresh))
        managers = len(have) + len(chosen) + len(promote)
        assert managers % 2 == 1 or not (chosen or promote), spelled(swarm)
        assert managers <= max(wanted, len(have)), spelled(swarm)
        assert managers >= 1


@pytest.mark.django_db
def test_without_a_majority_no_removal_is_offered_for_the_swarm_can_not_forget_a_host() -> None:
    environment = factories.environment()
    worker = factories.host(environment, "fw-01")
    factories.host(environment, "fw-02", role=HostRole.MANAGER)
    lost = factories.host(environment, "fw-03", role=HostRole.MANAGER, state=HostState.DISCONNECTED)
    for host in (worker, lost):
        plan = removal_plan(host)
        assert "Only 1 of 2 managers answer" in plan.refusal
        assert plan.offers == []


@pytest.mark.django_db
def test_a_plan_never_ends_with_an_even_number_where_a_worker_can_not_be_promoted() -> None:
    environment = factories.environment(managers=3)
    factories.host(environment, "fw-01", role=HostRole.MANAGER)
    factories.host(environment, "fw-02", state=HostState.DISCONNECTED)
    plan = plan_hosts(environment, "fw", 1)
    assert (plan.managers, plan.promote) == ([], [])
