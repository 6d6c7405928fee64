"""What a preview shows, and what it finds against a deployment to this environment."""

import pytest

from platform_manager.errors import UserError
from platform_manager.recipes import (
    EnvironmentFacts,
    HostFacts,
    Port,
    Preview,
    Severity,
    builtin,
    check_stack_name,
    parse,
    preview,
    stack_name_problem,
    suggest_stack_name,
)

HOSTS = [
    HostFacts("m1", "manager", {"disk": "ssd"}, arch="x86_64"),
    HostFacts("w1", "worker", {}, hostname="worker-1", arch="x86_64"),
]


def seen(text: str, answers: dict[str, str] | None = None, **facts: object) -> Preview:
    known = {"stack_name": "shop", "mtu": 1450, "hosts": HOSTS, "secrets": set(), "configs": set(), **facts}
    return preview(parse(text), answers or {}, EnvironmentFacts(**known))  # type: ignore[arg-type]


def said(text: str, answers: dict[str, str] | None = None, **facts: object) -> dict[str, str]:
    return {p.message: p.severity.value for p in seen(text, answers, **facts).problems}


def one(text: str, answers: dict[str, str] | None = None, **facts: object) -> tuple[str, str]:
    found = said(text, answers, **facts)
    assert len(found) == 1, found
    message, severity = found.popitem()
    return severity, message


def test_services_are_listed_as_they_would_run() -> None:
    shown = seen(
        """\
services:
  web:
    image: app:${TAG:-1}
    ports: ["${PORT:-8080}:80", {target: 53, published: 53, protocol: udp, mode: host}]
    networks: [front]
    volumes: ["data:/data:ro", {type: tmpfs, target: /run}]
    deploy: {replicas: "${N:-2}", placement: {constraints: [node.role == manager]}}
  agent: {image: agent, deploy: {mode: global}}
networks: {front: {external: {name: frontend}}, unused: }
volumes: {data: }
secrets: {s: {external: true}}
""",
        {"PORT": "9090", "N": ""},
        networks={"frontend"},
        hosts=None,
    )
    web, agent = shown.services

    assert shown.deployable
    assert (web.name, web.image, web.mode, web.replicas) == ("web", "app:1", "replicated", 2)
    assert web.ports == [Port(9090, 80), Port(53, 53, "udp", "host")]
    assert (web.networks, web.volumes) == (["frontend"], ["data:/data:ro", "tmpfs:/run"])
    assert web.constraints == ["node.role == manager"]
    assert (agent.mode, agent.replicas, agent.networks) == ("global", None, ["shop_default"])
    assert [(n.name, n.external, n.mtu) for n in shown.networks] == [
        ("frontend", True, None),
        ("shop_default", False, 1450),
    ]
    assert [(v.name, v.external) for v in (*shown.volumes, *shown.secrets)] == [("shop_data", False), ("s", True)]


def test_a_missing_network_is_an_error_with_an_offer() -> None:
    text = "services: {a: {image: x, networks: [n]}}\nnetworks: {n: {external: true, name: backend}}"

    (problem,) = seen(text).problems

    assert (problem.severity, problem.offer, problem.line) == (Severity.ERROR, "create-network:backend", 2)
    assert seen(text, networks={"backend"}).problems == []


@pytest.mark.parametrize("kind", ["secrets", "configs"])
def test_missing_secrets_and_configs_are_errors_where_they_are_used(kind: str) -> None:
    text = f"services: {{a: {{image: x, {kind}: [one]}}}}\n{kind}: {{one: {{external: true}}, two: {{external: true}}}}"

    assert one(text)[0] == "error"
    assert said(text, **{kind: {"one"}}) == {}
    assert said(text, **{kind: None}) == {}


def test_busy_ports_name_who_holds_them() -> None:
    taken = {(80, "tcp"): "proxy_web"}

    assert "'proxy_web'" in one("services: {a: {image: x, ports: ['80:8000']}}", published_ports=taken)[1]
    assert said("services: {a: {image: x, ports: ['80:8000/udp', '8000']}}", published_ports=taken) == {}


def test_host_ports_of_two_services_only_warn() -> None:
    port = "{target: 80, published: 80, mode: host}"

    assert one(f"services: {{a: {{image: x, ports: [{port}]}}, b: {{image: x, ports: [{port}]}}}}")[0] == "warning"


@pytest.mark.parametrize(
    ("constraint", "fits"),
    [
        ("node.labels.disk == ssd", True),
        ("node.labels.disk != ssd", True),
        ("node.labels.disk == hdd", False),
        ("node.role==manager", True),
        ("node.role != manager", True),
        ("node.hostname == worker-1", True),
        ("node.hostname == m1", True),
        ("node.platform.arch == x86_64", True),
        ("node.platform.arch == amd64", False),
        ("node.platform.os == linux", True),
    ],
)
def test_constraints_that_match_no_host_are_told(constraint: str, fits: bool) -> None:
    text = f"services: {{a: {{image: x, deploy: {{placement: {{constraints: ['{constraint}']}}}}}}}}"

    assert bool(said(text)) is not fits


def test_constraints_hold_together() -> None:
    text = (
        "services: {a: {image: x, deploy: {placement: {constraints: [node.role == worker, node.labels.disk == ssd]}}}}"
    )

    assert "node.role == worker and node.labels.disk == ssd" in one(text)[1]


def test_an_unknown_constraint_key_says_what_was_meant() -> None:
    text = "services: {a: {image: x, deploy: {placement: {constraints: [region == ES]}}}}"

    assert any("node.labels.region" in message for message in said(text))


def test_more_replicas_than_hosts_can_take_a_port() -> None:
    text = "services: {a: {image: x, ports: [{target: 80, published: 80, mode: host}], deploy: {replicas: 3}}}"

    assert "2 of its 3 replicas" in one(text)[1]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("cap_add: [SYS_ADMIN]", "SYS_ADMIN"),
        ("volumes: ['/var/run/docker.sock:/s']", "Docker socket"),
        ("volumes: ['/etc:/etc:ro']", "/etc of its host"),
        ("volumes: [{type: bind, source: /etc, target: /e}]", "/etc of its host"),
    ],
)
def test_danger_is_shown(part: str, words: str) -> None:
    severity, message = one(f"services: {{a: {{image: x, {part}}}}}")

    assert (severity, words in message) == ("danger", True)


def test_the_host_s_network_and_folders_behind_volumes_are_dangerous() -> None:
    network = "services: {a: {image: x, networks: [h]}}\nnetworks: {h: {external: true, name: host}}"
    volume = "services: {a: {image: x}}\nvolumes: {v: {driver_opts: {type: none, o: bind, device: /root}}}"

    assert [one(network)[0], one(volume)[0]] == ["danger", "danger"]


@pytest.mark.parametrize(
    "key", ["build: .", "container_name: c", "network_mode: host", "devices: [/dev/x]", "tmpfs: /x"]
)
def test_keys_without_effect_are_warnings(key: str) -> None:
    severity, message = one(f"services: {{a: {{image: x, {key}}}}}")

    assert (severity, f"services.a.{key.partition(':')[0]} has no effect" in message) == ("warning", True)


def test_dependencies_on_unknown_services_pass() -> None:
    assert one("services: {a: {image: x, depends_on: [gone]}}")[0] == "warning"


def test_variables_without_a_value_are_told_once() -> None:
    text = "services: {a: {image: x, labels: ['${GONE}', 'x${GONE}', '${WITH-default}']}}"

    assert "GONE has no value" in one(text)[1]
    assert said(text.replace("GONE", "STACK_NAME")) == {}


def test_a_required_variable_that_the_cli_would_overlook_is_an_error() -> None:
    assert one("services: {a: {image: x, labels: ['${NEEDED?why} ${OK:-1}']}}") == (
        "error",
        "NEEDED must be given: why.",
    )


def test_zero_replicas_are_noted() -> None:
    assert one("services: {a: {image: x, deploy: {replicas: 0}}}")[0] == "warning"


def test_names_too_long_for_the_swarm_are_told_with_the_excess() -> None:
    assert "by 2." in one(f"services: {{{'a' * 60}: {{image: x}}}}")[1]


def test_a_taken_stack_name_is_an_error() -> None:
    assert one("services: {a: {image: x}}", existing_stacks={"shop"})[0] == "error"


@pytest.mark.parametrize(
    ("name", "mended"),
    [("My Shop", "my-shop"), ("shop_1", "shop-1"), ("-a-", "a"), ("ÄÖ", ""), ("x" * 80, "x" * 40), ("a.b", "a-b")],
)
def test_a_bad_stack_name_is_mended(name: str, mended: str) -> None:
    assert suggest_stack_name(name) == mended
    with pytest.raises(UserError, match=f"'{mended}'" if mended else "can't name"):
        check_stack_name(name)


@pytest.mark.parametrize("name", ["a", "shop", "shop-2", "2nd"])
def test_a_good_stack_name_passes(name: str) -> None:
    assert stack_name_problem(name) == ""
    assert check_stack_name(name) == name


def test_built_in_recipes_deploy_as_they_are() -> None:
    recipes = builtin()

    assert [recipe.name for recipe in recipes] == ["ticker", "whoami"]
    for recipe in recipes:
        facts = EnvironmentFacts(stack_name=recipe.name, hosts=HOSTS)
        assert preview(recipe.recipe(), {}, facts).problems == []
        assert recipe.title and recipe.description and recipe.icon


def test_a_value_of_the_wrong_kind_is_said_once() -> None:
    text = "services: {a: {image: i, deploy: {replicas: '${N:-3}'}}}\n"
    assert one(text, answers={"N": "many"})[1].count("many") == 1


@pytest.mark.parametrize(("published", "ending"), [("${PORT:-80}", "PORT: change that."), ("80", "port.")])
def test_an_error_names_the_variable_that_made_the_value(published: str, ending: str) -> None:
    text = f"services: {{a: {{image: i, ports: ['{published}:8000']}}}}\n"
    assert one(text, published_ports={(80, "tcp"): "other_web"})[1].endswith(ending)


def test_what_the_platform_answers_is_not_to_be_answered_otherwise() -> None:
    text = "services: {a: {image: i, deploy: {replicas: '-${DOCKER_MTU}'}}}\n"
    assert all("change that" not in message for message in said(text))
