"""What a snapshot tells of an environment to the checks before a deployment."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from dashboard.flows.facts import environment_facts
from dashboard.flows.stacks import Wish, preview_stack
from dashboard.models import Environment, OperationState, PlatformSettings
from dashboard.pages.snapshot import read
from platform_manager.recipes import EnvironmentFacts, Held
from platform_manager.swarm import snapshot as swarm
from tests import factories

pytestmark = pytest.mark.django_db


def facts_of(environment: Environment) -> EnvironmentFacts:
    """As its row is now, for a stack called shop."""
    return environment_facts(Environment.objects.get(pk=environment.pk), "shop")


def test_hosts_that_take_no_tasks_do_not_count(shop: Environment) -> None:
    nodes = [
        factories.node(1, labels={"disk": "ssd"}),
        factories.node(2, state="down"),
        factories.node(3, availability="drain"),
        factories.node(4, availability="pause"),
    ]
    factories.snapshot(shop, nodes=nodes)

    (host,) = facts_of(shop).hosts or []

    assert (host.name, host.role, host.labels, host.cpus, host.memory) == (
        "fw-01",
        "manager",
        {"disk": "ssd"},
        2.0,
        4_136_000_000,
    )


def test_a_host_that_a_new_leader_has_not_heard_of_yet_counts(shop: Environment) -> None:
    factories.snapshot(shop, nodes=[factories.node(1, state="unknown"), factories.node(2, state="down")])
    assert [host.name for host in facts_of(shop).hosts or []] == ["fw-01"]


def test_hosts_tell_what_they_told_when_they_enrolled(shop: Environment) -> None:
    node = factories.node(1)
    factories.host(shop, "named-by-us", node_id=node.id, facts={"max_map_count": 65530})
    factories.snapshot(shop, nodes=[node])

    (host,) = facts_of(shop).hosts or []

    assert (host.name, host.hostname, host.max_map_count) == ("named-by-us", "fw-01", 65530)


def test_a_swarm_that_nobody_read_says_nothing_of_hosts(shop: Environment) -> None:
    assert facts_of(shop).hosts is None


def test_ports_are_told_by_how_they_are_held_and_its_own_are_not(shop: Environment) -> None:
    services = [
        factories.service("web", "proxy", ports=["80:8080/tcp", "53:53/udp", "9000/tcp", "100:100/tcp on the host"]),
        factories.service("web", "shop", ports=["8080:80/tcp"]),
        factories.service("alone", ports=["70:70/tcp"]),
    ]
    factories.snapshot(shop, services=services)

    facts = facts_of(shop)

    assert facts.published_ports == {(80, "tcp"): "proxy_web", (53, "udp"): "proxy_web", (70, "tcp"): "alone"}
    assert facts.host_ports == {(100, "tcp"): "proxy_web"}


def test_neighbours_are_told_by_network_and_name(shop: Environment) -> None:
    services = [
        factories.service("mongo", "other", networks=["network-backend", "gone"], aliases=["db", "mongo"]),
        factories.service("mongo", "shop", networks=["network-backend"]),
    ]
    factories.snapshot(shop, services=services, networks=[factories.network("backend")])

    assert facts_of(shop).neighbours["backend"] == {"mongo": "other_mongo", "db": "other_mongo"}


def test_networks_are_told_with_their_mtu_driver_and_stack(shop: Environment) -> None:
    networks = [factories.network("shop_default", mtu=1500, stack="shop"), factories.network("backend")]
    factories.snapshot(shop, networks=networks)

    facts = facts_of(shop)

    assert facts.network_mtus == {"shop_default": 1500, "backend": 1400}
    assert facts.network_stacks == {"shop_default": "shop", "backend": ""}
    assert facts.network_drivers["backend"] == "overlay"


def test_services_that_an_older_release_wrote_are_read(shop: Environment) -> None:
    row = factories.snapshot(shop)
    older = asdict(factories.service("web", "proxy", ports=["80:80/tcp"]))
    del older["networks"], older["aliases"]
    row.services = json.dumps([older])
    row.save()

    facts = facts_of(shop)

    assert (facts.published_ports, facts.neighbours) == ({(80, "tcp"): "proxy_web"}, {})


def test_networks_and_aliases_of_a_service_are_read_by_type() -> None:
    attached = [{"Target": "n1", "Aliases": ["db", 7]}, {"Target": 5, "Aliases": "x"}, "nonsense"]
    answer = {"ID": "s", "Spec": {"Name": "a", "TaskTemplate": {"Networks": attached}}}

    read = swarm.service(answer, (), set())

    assert (read.networks, read.aliases) == (["n1"], ["db"])


def test_hosts_tell_what_tasks_hold_until_they_have_ended(shop: Environment) -> None:
    web, db = factories.service("web", "proxy"), factories.service("db", "shop")
    tasks = [
        factories.task(web, 1, cpus=0.5, memory=100),
        factories.task(web, 2, cpus=0.5, memory=100, desired_state="shutdown"),
        factories.task(web, 3, cpus=0.5, memory=100, state="failed"),
        factories.task(web, 4, cpus=0.5, memory=100, state="pending", node_id=""),
        factories.task(db, 1, memory=7, node_id="node-fw-02", state="preparing"),
    ]
    factories.snapshot(shop, nodes=[factories.node(1), factories.node(2)], services=[web, db], tasks=tasks)

    first, second = facts_of(shop).hosts or []

    assert first.held == (Held("proxy_web", "proxy", tasks=2, cpus=1.0, memory=200),)
    assert second.held == (Held("shop_db", "shop", tasks=1, memory=7),)


def test_tasks_tell_what_they_reserve() -> None:
    reserved = {"Reservations": {"NanoCPUs": 250_000_000, "MemoryBytes": 64}, "Limits": {"MemoryBytes": 128}}

    told = swarm.task({"ID": "t", "Spec": {"Resources": reserved}}, "web", "shop")

    assert (told.cpus, told.memory) == (0.25, 64)
    assert (swarm.task({"ID": "t"}, "web", "").cpus, swarm.task({"ID": "t"}, "web", "").memory) == (0.0, 0)


def test_networks_of_a_manager_alone_are_no_networks_of_the_swarm(shop: Environment) -> None:
    networks = [
        factories.network("backend", attachable=False),
        factories.network("own", driver="bridge", scope="local"),
    ]
    factories.snapshot(shop, networks=networks)

    facts = facts_of(shop)

    assert (facts.networks, facts.local_networks) == ({"backend"}, {"own": "bridge"})
    assert facts.closed_networks == {"backend"}
    assert [network.name for network in read(shop).networks] == ["backend"]


def test_whose_things_are_is_told_by_name(shop: Environment) -> None:
    row = factories.snapshot(
        shop, services=[factories.service("c", "a_b")], volumes=[factories.volume("data", stack="other")]
    )
    labels = {"com.docker.stack.namespace": "shop"}
    row.secrets = swarm.owners([{"Spec": {"Name": "key", "Labels": labels}}, {"Spec": {"Name": "own"}}, "nonsense"])
    row.configs = '["written by an older release"]'
    row.save()

    facts = facts_of(shop)

    assert facts.owners == {
        "services": {"a_b_c": "a_b"},
        "volumes": {"data": "other"},
        "secrets": {"key": "shop", "own": ""},
        "configs": {"written by an older release": None},
    }
    assert facts.secrets == {"key", "own"}


def test_what_the_operator_forbids_and_what_is_wished_counts(shop: Environment) -> None:
    PlatformSettings.objects.create(forbid_docker_socket=True)
    compose = (
        "services: {a: {image: x, networks: [back], secrets: [s], volumes: ['/run/docker.sock:/s']}}\n"
        "networks: {back: {external: true}}\nsecrets: {s: {external: true}}\n"
    )

    shown = preview_stack(shop, Wish("demo", compose, networks=frozenset({"back"}), secrets={"s": b"word"}))

    assert [(p.severity, p.danger) for p in shown.problems] == [("error", "docker_socket")]
    assert [network.wished for network in shown.networks] == [True]


def test_a_new_stack_does_not_take_over_one_that_somebody_else_deployed(shop: Environment) -> None:
    factories.snapshot(shop, services=[factories.service("web", "outside"), factories.service("db", "gone")])
    factories.stack(shop, "ours")
    removal = {"kind": "remove_stack", "args": {"stack": "gone"}}
    factories.operation(shop, state=OperationState.SUCCEEDED, **removal)

    assert facts_of(shop).foreign_stacks == {"outside"}
    preview = preview_stack(
        Environment.objects.get(pk=shop.pk), Wish("outside", "services: {web: {image: demo/web:1}}")
    )
    (problem,) = [one for one in preview.problems if one.path == "name"]
    assert problem.severity == "error"
    assert "deployed outside the platform" in problem.message
