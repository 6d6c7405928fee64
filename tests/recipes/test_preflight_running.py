"""Reservations against what tasks that run leave free, and updates that need room for old and new tasks at once."""

from dataclasses import replace

import pytest
from looking import HOSTS, only, said, service

from platform_manager.recipes import Held, HostFacts, Severity, without_stack
from platform_manager.recipes.facts import EnvironmentFacts

GIB = 2**30
# 4 GiB and 2 CPUs on fw-01, 8 GiB and 4 CPUs on fw-02.
DB = Held("other_db", "other", tasks=1, cpus=1, memory=6 * GIB)
OWN = Held("shop_a", "shop", tasks=1, cpus=1, memory=6 * GIB)


def with_held(*held: Held, on: int = 1) -> list[HostFacts]:
    return [replace(host, held=held) if number == on else host for number, host in enumerate(HOSTS)]


def reserving(amount: str, more: str = "") -> str:
    return service(f"deploy: {{resources: {{reservations: {{{amount}}}}}{more}}}")


def test_what_other_tasks_hold_is_not_free() -> None:
    text = reserving("memory: 5g")

    found = only(text, hosts=with_held(DB, replace(DB, service="other_log", memory=GIB)))

    assert (found.severity, found.path) == (Severity.WARNING, "services.a.deploy.resources.reservations.memory")
    assert "reserves 5 GiB of memory; fw-01, the fitting host with most left, has 4 GiB" in found.message
    assert said(text) == []


def test_who_holds_it_is_told() -> None:
    text = reserving("memory: 5g", ", placement: {constraints: [node.role == worker]}")

    assert (
        "fw-02, the fitting host with most left, has 2 GiB of memory free of 8 GiB of memory "
        "(other_db holds 6 GiB of memory): it would wait"
    ) in only(text, hosts=with_held(DB)).message


def test_processors_are_counted_as_the_swarm_does() -> None:
    tenths = tuple(replace(DB, service=f"other_{n}", cpus=0.1, memory=0) for n in range(10))
    pinned = ", placement: {constraints: [node.role == manager]}"

    assert said(reserving("cpus: '1'", pinned), hosts=with_held(*tenths, on=0)) == []
    assert said(reserving("cpus: '0.1'", f"{pinned}, replicas: 10"), hosts=with_held(*tenths, on=0)) == []
    assert "1.1 CPUs; fw-01" in only(reserving("cpus: '1.1'", pinned), hosts=with_held(*tenths, on=0)).message


def test_two_sizes_that_read_the_same_are_told_exactly() -> None:
    found = only(reserving("memory: 8200m"))

    assert "reserves 8,200 MiB of memory; fw-02, the largest fitting host, has 8,192 MiB" in found.message


def test_replicas_that_find_no_room_beside_what_runs_are_counted() -> None:
    found = only(reserving("memory: 2g", ", replicas: 4"), hosts=with_held(DB))

    assert "free are 4 GiB of memory on fw-01 and 2 GiB of memory on fw-02, room for 3" in found.message


def test_the_most_on_a_host_counts_too() -> None:
    text = reserving("memory: 5g", ", replicas: 2, placement: {max_replicas_per_node: 1}")

    assert "room for 1 (at most 1 on a host)" in only(text).message


def test_its_own_tasks_are_stopped_for_the_new_ones() -> None:
    assert said(reserving("memory: 5g"), hosts=with_held(OWN)) == []


def test_services_bound_to_one_host_share_it() -> None:
    placed = "placement: {constraints: [node.role == manager]}"
    part = f"{{image: x, deploy: {{resources: {{reservations: {{memory: 2g}}}}, {placed}}}}}"
    text = f"services: {{a: {part}, b: {part}}}"

    found = only(text, hosts=with_held(replace(DB, memory=GIB), on=0))

    assert "a and b together reserve 4 GiB of memory, and their hosts have 3 GiB of memory free" in found.message
    assert "on fw-01)" in found.message
    assert said(text) == []


ON_WORKERS = "constraints: [node.role == worker]"


@pytest.mark.parametrize(
    ("deploy", "more", "words"),
    [
        (
            "resources: {reservations: {memory: 5g}}",
            "labels: {}",
            "each reserves 5 GiB of memory, and fw-01 has 4 GiB of memory free",
        ),
        (f"placement: {{max_replicas_per_node: 1, {ON_WORKERS}}}", "labels: {}", "fw-02 runs 1 of at most 1"),
        (
            f"placement: {{{ON_WORKERS}}}",
            "ports: [{target: 1, published: 99, mode: host}]",
            "fw-02 has its port 99 in use by the old one",
        ),
    ],
)
def test_an_update_that_starts_first_needs_room_beside_the_old_tasks(deploy: str, more: str, words: str) -> None:
    text = service(f"deploy: {{update_config: {{order: start-first}}, {deploy}}}, {more}")

    found = only(text, hosts=with_held(OWN))

    assert (found.severity, words in found.message) == (Severity.WARNING, True)
    assert said(text) == said(text.replace("start-first", "stop-first"), hosts=with_held(OWN)) == []


def test_a_stack_that_is_removed_first_leaves_its_room_and_networks() -> None:
    facts = EnvironmentFacts(
        "shop",
        hosts=with_held(OWN, DB),
        networks={"shop_n", "backend"},
        network_stacks={"shop_n": "shop", "backend": ""},
        network_mtus={"shop_n": 1500, "backend": 1400},
    )

    found = without_stack(facts)

    assert [host.held for host in found.hosts or ()] == [(), (DB,)]
    assert (found.networks, found.network_mtus) == ({"backend"}, {"backend": 1400})
