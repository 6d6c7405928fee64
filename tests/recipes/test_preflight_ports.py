"""Published ports against each other, what runs, and the swarm itself."""

import pytest
from looking import only, problems, said, service

from platform_manager.recipes import Severity

INGRESS = "ports: ['80:8000']"
HOST = "ports: [{target: 8000, published: 80, mode: host}]"
HELD = {(80, "tcp"): "proxy_web"}


@pytest.mark.parametrize(
    ("part", "facts", "severity"),
    [
        (INGRESS, {"published_ports": HELD}, "error"),
        (HOST, {"published_ports": HELD}, "error"),
        (INGRESS, {"host_ports": HELD}, "error"),
        (HOST, {"host_ports": HELD}, "warning"),
    ],
)
def test_a_port_in_use_clashes_as_the_swarm_counts_it(part: str, facts: dict[str, object], severity: str) -> None:
    found = only(service(part), **facts)

    assert (found.severity.value, found.path, "'proxy_web'" in found.message) == (severity, "services.a.ports[0]", True)


def test_another_protocol_is_another_port() -> None:
    assert said(service("ports: ['80:80/udp']"), published_ports=HELD, host_ports=HELD) == []


def test_a_port_within_a_range_clashes() -> None:
    assert "Port 80/tcp is in use" in only(service("ports: ['79-81:79-81']"), published_ports=HELD).message


@pytest.mark.parametrize(
    ("one", "other", "severity"),
    [
        (INGRESS, INGRESS, "error"),
        (INGRESS, HOST, "error"),
        (HOST, INGRESS, "error"),
        (HOST, HOST, "warning"),
        (INGRESS, "ports: ['70-90:70-90']", "error"),
    ],
)
def test_two_services_on_one_port(one: str, other: str, severity: str) -> None:
    found = only(f"services: {{a: {{image: x, {one}}}, b: {{image: x, {other}}}}}")

    assert (found.severity.value, "'a' and 'b'" in found.message) == (severity, True)


@pytest.mark.parametrize("port", ["2377", "7946", "7946/udp", "4789/udp"])
@pytest.mark.parametrize("mode", ["ingress", "host"])
def test_ports_of_the_swarm_can_t_be_published(port: str, mode: str) -> None:
    number, _, protocol = port.partition("/")
    entry = f"{{target: 80, published: {number}, protocol: {protocol or 'tcp'}, mode: {mode}}}"

    found = only(service(f"ports: [{entry}]"))

    assert (found.severity, "the swarm's own" in found.message) == (Severity.ERROR, True)


def test_the_same_numbers_of_other_protocols_are_free() -> None:
    assert said(service("ports: ['4789:80', '2377:80/udp']")) == []


def test_the_port_of_ssh_is_told() -> None:
    assert only(service("ports: ['22:22']")).severity is Severity.WARNING


def test_a_range_of_all_ports_is_refused_at_once() -> None:
    found = problems(service("ports: ['1-65535:1-65535']"))

    assert [problem.path for problem in found] == ["services.a.ports"]
    assert "more than 1000 ports" in found[0].message


def test_a_file_full_of_ranges_is_looked_at_in_no_time() -> None:
    ranges = ", ".join(f"'{n}-65535'" for n in range(1, 5_000))

    assert [problem.path for problem in problems(service(f"ports: [{ranges}]"))] == ["services.a.ports"]
