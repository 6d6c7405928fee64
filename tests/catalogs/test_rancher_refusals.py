"""Stacks for Rancher that no swarm can run, and the sentences that say so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rancher_stacks import render

from platform_manager.catalogs import rancher
from platform_manager.catalogs.rancher.trees import write_tree
from platform_manager.recipes import parse

REFUSED = {
    "privileged: true": "The service 'web' is privileged",
    "devices: ['/dev/kvm:/dev/kvm']": "needs the device '/dev/kvm:/dev/kvm' (devices)",
    "pid: host": "shares the processes of its host (pid: host)",
    "ipc: host": "shares the memory of its host (ipc: host)",
    "net: 'container:db'": "shares the network of 'db' (net: container:db)",
    "network_mode: 'service:db'": "shares the network of 'db' (network_mode: service:db)",
    "labels: {io.rancher.container.create_agent: true}": "uses the API of Rancher",
    "labels: ['io.rancher.container.agent.role=environment']": "uses the API of Rancher",
    "external_links: ['other/db:db']": "links to 'other/db:db' of another stack (external_links)",
    "environment: {URL: 'http://rancher-metadata/latest'}": "reads its settings from the metadata service",
    "command: giddyup leader": "reads its settings from the metadata service of Rancher (command)",
    "volumes_from: [web2]": "uses the folders of the container 'web2' (volumes_from)",
    "env_file: .env": "reads another file (env_file)",
    "extends: {service: x}": "reads another file (extends)",
    "links: [nobody]": "links to 'nobody' (links), which is no service of the recipe",
}


@pytest.mark.parametrize("keys", REFUSED)
def test_what_no_swarm_gives_is_refused_with_the_service_the_key_and_a_way_out(keys: str) -> None:
    result = render(f"web:\n  image: nginx\n  {keys}\nweb2: {{image: nginx, command: serve}}\n")

    assert result.compose == ""
    assert "'web'" in result.refusal
    assert REFUSED[keys] in result.refusal
    assert result.refusal.count(". ") >= 1
    assert result.refusal.endswith(".")


REFUSED_STACKS = {
    "side by side": (
        "a: {image: x, labels: {io.rancher.sidekicks: b}}\nb: {image: y}",
        "",
        "The service 'b' must run beside 'a' on the same host (io.rancher.sidekicks)",
    ),
    "one before the other": (
        "a: {image: x, labels: {io.rancher.sidekicks: b}}\n"
        "b: {image: busybox, command: chown -R 1 /x, labels: {io.rancher.container.start_once: true}}",
        "",
        "The service 'b' prepares 'a' on the same host before it starts",
    ),
    "data that only the image knows": (
        "a: {image: x, volumes_from: [b]}\nb: {image: busybox, command: 'true'}",
        "",
        "The data container 'b' does not say which folders it holds",
    ),
    "metadata": ("a: {image: x}", "a: {metadata: {x: y}}", "(metadata in rancher-compose.yml)"),
    "a metadata image": (
        "a: {image: 'rancher/elasticsearch-conf:v0.5'}",
        "",
        "(image rancher/elasticsearch-conf:v0.5)",
    ),
    "an outside service": ("a: {image: rancher/external-service}", "", "only gives a name to something outside"),
    "no image": ("a: {command: x}\nb: {image: x}", "", "The service 'a' names no image"),
    "only a build": ("a: {build: .}", "", "push one to a registry"),
    "nothing": ("version: '2'", "", "has no services"),
    "one name, two meanings": (
        "a: {image: x, links: ['b:db']}\nb: {image: x}\nc: {image: x}\nd: {image: x, links: ['c:db']}",
        "",
        "The name 'db' means the service 'c' in one link and 'b' elsewhere",
    ),
    "a name that another service has": (
        "a: {image: x, links: ['b:c']}\nb: {image: x}\nc: {image: x}",
        "",
        "The name 'c' means the service 'b' in one link and 'c' elsewhere",
    ),
    "requests shared out": (
        "lb: {image: rancher/load-balancer-service, ports: ['80'], links: [a, b]}\na: {image: x}\nb: {image: x}",
        "",
        "shares its ports out among 'a' and 'b'",
    ),
    "names and paths": (
        "lb: {image: rancher/load-balancer-service, links: [a], labels: {io.rancher.loadbalancer.target.a: x.org=80}}\n"
        "a: {image: x}",
        "",
        "chooses services by host name or path (x.org=80)",
    ),
    "encrypted requests": (
        "lb: {image: rancher/load-balancer-service, links: [a], labels: {io.rancher.loadbalancer.ssl.ports: 443}}\n"
        "a: {image: x}",
        "",
        "does more than hand on requests (label io.rancher.loadbalancer.ssl.ports)",
    ),
    "a rule with a host name": (
        "lb: {image: 'rancher/lb-service-haproxy:v1', ports: [80]}\na: {image: x}",
        "lb: {lb_config: {port_rules: [{source_port: 80, service: a, hostname: x.org}]}}",
        "chooses services by hostname (x.org)",
    ),
    "one port, two services": (
        "lb: {image: 'rancher/lb-service-haproxy:v1', ports: [80]}\na: {image: x}\nb: {image: x}",
        "lb: {lb_config: {port_rules: [{source_port: 80, service: a}, {source_port: 80, service: b}]}}",
        "leads port 80 to 'a' and to 'b'",
    ),
    "a rule with TLS": (
        "lb: {image: 'rancher/lb-service-haproxy:v1', ports: [443]}\na: {image: x}",
        "lb: {lb_config: {default_cert: c, port_rules: [{source_port: 443, service: a, protocol: https}]}}",
        "ends TLS (certs)",
    ),
    "a rule to another stack": (
        "lb: {image: 'rancher/lb-service-haproxy:v1', ports: [80]}",
        "lb: {lb_config: {port_rules: [{source_port: 80, service: other/a}]}}",
        "leads to 'other/a', which is no service of the recipe",
    ),
    "a load balancer without rules": ("lb: {image: 'rancher/lb-service-haproxy:v1', ports: [80]}", "", "leads nowhere"),
    "a stray dollar sign": ("a: {image: x, command: 'echo $'}", "", "has a stray '$'"),
    "version 3 with what a swarm refuses": (
        "version: '3'\nservices: {a: {image: x, mem_limit: 1g}}",
        "",
        "a stack can't have 'mem_limit'",
    ),
    "no YAML": ("a: [", "", "The compose file can't be read."),
    "no YAML beside it": ("a: {image: x}", "a: [", "rancher-compose.yml can't be read."),
}


@pytest.mark.parametrize("what", REFUSED_STACKS)
def test_stacks_that_are_refused(what: str) -> None:
    compose, about, reason = REFUSED_STACKS[what]

    result = render(compose, about)

    assert reason in result.refusal
    assert result.compose == ""
    assert result.notes == ()


TOO_MUCH = {
    "services": ("\n".join(f"s{n}: {{image: x}}" for n in range(301)), "has more than 300 services"),
    "mounts": (
        "a: {image: x, volumes_from: [d]}\n"
        f"d: {{image: busybox, volumes: [{', '.join(f'/v{n}' for n in range(201))}]}}",
        "The service 'a' mounts more than 200 volumes.",
    ),
    "a name": (f"{'a' * 64}: {{image: x}}", "is no name for a service"),
    "a name with blanks": ("a b: {image: x}", "'a b' is no name for a service"),
    "nesting": ("a: " + "[" * 60, "The compose file can't be read."),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_stacks_that_ask_for_too_much_are_refused(what: str) -> None:
    compose, reason = TOO_MUCH[what]

    assert reason in render(compose).refusal


KEYS = st.sampled_from(
    """
    image build command entrypoint environment env_file ports expose links external_links volumes volumes_from
    volume_driver labels net network_mode networks pid ipc privileged devices mem_limit cpus restart log_driver log_opt
    logging ulimits sysctls extra_hosts dns cap_add tmpfs shm_size secrets healthcheck scale depends_on stop_signal
    lb_config health_check metadata milli_cpu_reservation nonsense
    """.split()  # noqa: SIM905 - a list of so many short words is unreadable
)
WORDS = st.sampled_from(
    """
    a b a:b b:/x /x 80:80 ${v}:1 true /bin/true io.rancher.sidekicks ${v} -1 host io.rancher.scheduler.global
    io.rancher.scheduler.affinity:host_label rancher/load-balancer-service
    """.split()  # noqa: SIM905
)
SCALARS = st.one_of(WORDS, st.booleans(), st.none(), st.text(max_size=4))
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(WORDS, st.one_of(SCALARS, st.just(["a"]))))
SERVICE = st.dictionaries(KEYS, VALUES, max_size=4).map(lambda keys: {"image": "x", **keys})
SERVICES = st.dictionaries(st.sampled_from("abc"), SERVICE, max_size=3)
ABOUT = st.dictionaries(st.sampled_from("abc"), st.one_of(SERVICE, VALUES), max_size=3)


@settings(max_examples=150, deadline=None)
@given(SERVICES, ABOUT, st.sampled_from(["", "2", "1"]), st.sampled_from([{}, {"v": "b"}, {"v": ""}]))
def test_whatever_a_stack_holds_it_is_converted_or_refused(
    services: dict[str, object], about: dict[str, object], version: str, answers: dict[str, str]
) -> None:
    whole = {"version": version, "services": services} if version else services

    result = rancher.render(rancher.Template(write_tree(whole), write_tree(about)), answers, stack_name="shop")

    assert bool(result.compose) is not bool(result.refusal)
    if result.compose:
        parse(result.compose)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=60))
def test_whatever_bytes_a_catalog_holds_it_is_read(config: bytes, compose: bytes, about: bytes) -> None:
    tree = {"config.yml": config, "0/docker-compose.yml.tpl": compose, "0/rancher-compose.yml": about}

    [entry] = rancher.read(tree).entries

    assert entry.title
    assert bool(entry.versions[0].compose) is not bool(entry.versions[0].refusal)
