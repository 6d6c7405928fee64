"""Constraints, replicas and reservations against the hosts there are, and what images need of them."""

from dataclasses import replace

import pytest
from looking import HOSTS, only, said, service

from platform_manager.recipes import HostFacts, Severity
from platform_manager.recipes.constraints import read_constraint

ARM = HostFacts("fw-03", "worker", arch="aarch64", cpus=4, memory=8 * 2**30)


def reserving(amount: str, more: str = "") -> str:
    return service(f"deploy: {{resources: {{reservations: {{{amount}}}}}{more}}}")


def test_an_architecture_by_its_other_name_fits_nowhere_and_the_right_one_is_told() -> None:
    found = only(service("deploy: {placement: {constraints: [node.platform.arch == amd64]}}"))

    assert "knows amd64 as x86_64" in found.message


@pytest.mark.parametrize(
    ("constraint", "fits"),
    [
        ("node.ip == 10.0.0.5", True),
        ("node.ip == 10.0.0.0/8", True),
        ("Node.IP != 10.0.0.0/8", False),
        ("node.ip == 192.168.0.0/16", False),
        ("node.ip != 192.168.0.0/16", True),
        ("node.ip != 2001:db8::/32", True),
        ("node.ip != 10.0.0.0/255.0.0.0", False),
        ("node.ip != somewhere", False),
    ],
)
def test_addresses_are_compared_as_the_swarm_does(constraint: str, fits: bool) -> None:
    """A subnet holds them; what is no address matches no host at all."""
    text = service(f"deploy: {{placement: {{constraints: ['{constraint}']}}}}")
    found = said(text, hosts=[replace(HOSTS[0], address="10.0.0.5")])
    assert ("No host fits" not in str(found)) is fits


def test_an_address_that_is_none_is_in_no_subnet() -> None:
    host = replace(HOSTS[0], address="none")
    assert not read_constraint("node.ip == 10.0.0.0/8").matches(host)
    assert read_constraint("node.ip != 10.0.0.0/8").matches(host)


def test_labels_of_engines_that_nobody_told_of_are_no_reason_to_warn() -> None:
    assert said(service("deploy: {placement: {constraints: [engine.labels.disk == ssd]}}")) == []


def test_no_host_that_takes_tasks_is_said_once() -> None:
    text = "services: {a: {image: x, deploy: {replicas: 3}}, b: {image: x}}"

    assert "No host takes tasks now" in only(text, hosts=[]).message
    assert said(text, hosts=None) == []


def test_replicas_above_the_most_a_host_may_run_are_counted() -> None:
    deploy = "deploy: {replicas: 5, placement: {max_replicas_per_node: 1}}"

    found = only(service(deploy))

    assert "5 replicas with at most 1 on a host, and 2 hosts fit: 3 would wait" in found.message
    assert said(service(deploy.replace("5", "2"))) == []


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("cpus: '6'", "reserves 6 CPUs; fw-02, the largest fitting host, has 4 CPUs"),
        ("memory: 16g", "reserves 16 GiB of memory; fw-02, the largest fitting host, has 8 GiB"),
    ],
)
def test_a_task_larger_than_every_host_is_told_with_both_sizes(amount: str, words: str) -> None:
    found = [message for _, message in said(reserving(amount))]

    assert words in found[0] or words in found[1]


def test_only_hosts_that_the_constraints_allow_count() -> None:
    text = reserving("memory: 6g", ", placement: {constraints: [node.role == manager]}")

    assert "fw-01, the largest fitting host, has 4 GiB" in only(text).message
    assert said(reserving("memory: 6g")) == []


def test_tasks_that_find_no_room_beside_each_other_are_counted() -> None:
    found = said(reserving("memory: 3g", ", replicas: 4"))

    assert any(
        "each of its 4 tasks; free are 8 GiB of memory on fw-02 and 4 GiB of memory on fw-01, room for 3" in message
        for _, message in found
    )


def test_all_reservations_together_are_compared_with_all_hosts_together() -> None:
    part = "{image: x, deploy: {resources: {reservations: {cpus: '2'}}}}"

    found = only(f"services: {{a: {part}, b: {part}, c: {part}, d: {part}}}")

    assert "a, b, c and d together reserve 8 CPUs, and their hosts have 6 CPUs free" in found.message


def test_a_global_service_reserves_on_each_host() -> None:
    assert said(reserving("cpus: '2'", ", mode: global")) == []
    assert "room for 1" in said(reserving("cpus: '3'", ", mode: global"))[0][1]


def test_hosts_of_unknown_size_are_no_reason_to_warn() -> None:
    assert said(reserving("memory: 900g"), hosts=[*HOSTS, HostFacts("fw-03", "worker")]) == []


@pytest.mark.parametrize(
    ("amount", "severity"), [("memory: 2m", "error"), ("cpus: '0.0001'", "error"), ("memory: 4m, cpus: '0.001'", "")]
)
def test_less_than_the_engine_takes_is_an_error(amount: str, severity: str) -> None:
    found = said(service(f"deploy: {{resources: {{limits: {{{amount}}}}}}}"))

    assert [one for one, _ in found] == ([severity] if severity else [])


def test_a_limit_below_the_reservation_is_told() -> None:
    found = only(service("deploy: {resources: {limits: {memory: 1g}, reservations: {memory: 2g}}}"))

    assert (found.severity, "reserves 2 GiB of memory and may use 1 GiB" in found.message) == (Severity.WARNING, True)


@pytest.mark.parametrize(
    "image", ["elasticsearch:8", "crate", "registry.example.org:5000/search/opensearch:2@sha256:" + "0" * 64]
)
def test_images_that_need_many_maps_are_told_where_a_host_has_few(image: str) -> None:
    text = f"services: {{a: {{image: '{image}'}}}}"

    found = only(text, hosts=[replace(HOSTS[0], max_map_count=65530), replace(HOSTS[1], max_map_count=262144)])

    assert "vm.max_map_count=262144; fw-01 has less" in found.message
    assert said(text) == []


def test_other_images_need_no_maps() -> None:
    few = [replace(HOSTS[0], max_map_count=65530)]

    assert said("services: {a: {image: 'elasticsearch-exporter:1'}, b: {image: nginx}}", hosts=few) == []


def test_hosts_of_another_architecture_are_named_once_for_all_services() -> None:
    found = only("services: {a: {image: x}, b: {image: x}}", hosts=[*HOSTS, ARM])

    assert found.severity is Severity.WARNING
    assert "fw-03 is aarch64" in found.message and "a and b" in found.message
    assert "node.platform.arch == x86_64" in found.message


@pytest.mark.parametrize("constraint", ["node.platform.arch == x86_64", "node.role == manager"])
def test_services_kept_off_such_hosts_are_no_reason_to_warn(constraint: str) -> None:
    text = service(f"deploy: {{placement: {{constraints: ['{constraint}']}}}}")

    assert said(text, hosts=[*HOSTS, ARM]) == []


def test_a_constraint_is_no_remedy_where_all_hosts_are_alike() -> None:
    assert "constraint" not in only(service("labels: {}"), hosts=[ARM]).message
