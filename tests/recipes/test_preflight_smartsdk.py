"""The recipes of FIWARE's SmartSDK get the verdict that the Docker CLI and a swarm give them."""

from pathlib import Path

import pytest

from platform_manager.recipes import EnvironmentFacts, HostFacts, Preview, parse, preview
from tests.support.corpora import corpus

# By file: the networks that must exist, what is asked for besides, and the ports that other stacks may hold.
BACK, BOTH, NONE = {"backend"}, {"backend", "frontend"}, set[str]()
VERDICTS: dict[str, tuple[set[str], str, set[int]]] = {
    "auth/keycloak/docker-compose.yml": (BACK, "", {8080, 9990}),
    "data-management/context-broker/ha/docker-compose.yml": (BOTH, "", {1026}),
    "data-management/context-broker/standalone/docker-compose.yml": (NONE, "", {1026}),
    "data-management/cygnus/ha/docker-compose.yml": (NONE, "", {5050, 3306}),
    "data-management/oc-portal/docker-compose.yml": (BACK, "", {80, 5601}),
    "data-management/quantumleap/docker-compose.yml": (BOTH, "", {8668, 80, 443, 8080, 4200, 4300}),
    "data-management/quantumleap/docker-compose-addons.yml": (BOTH, "", {3000}),
    "data-management/sth/ha/docker-compose.yml": (BOTH, "", {8666}),
    "data-management/sth/standalone/docker-compose.yml": (NONE, "", {1026, 8666}),
    "iot-services/iotagent-json/docker-compose.yml": (BACK, "", {1883, 7896, 4041}),
    "iot-services/iotagent-lwm2m/docker-compose.yml": (BACK, "", {5684, 4041}),
    "iot-services/iotagent-manager/docker-compose.yml": (NONE, "names no container port. IOTA_SERVER_PORT has", set()),
    "iot-services/iotagent-ul/docker-compose.yml": (BACK, "", {7896, 4041}),
    "security/api-umbrella/docker-compose.yml": (BOTH, "no file 'api-umbrella.yml'", {80, 443}),
    "storage/elasticsearch/docker-compose.yml": (BACK, "", {9200, 9300}),
    "storage/mysql/docker-compose.yml": (BACK, "", {3306}),
    "testing/hurl/docker-compose.yml": (NONE, "", {9393}),
    "tools/portainer.yml": (BOTH, "", {9000}),
    "tools/visualizer.yml": (BOTH, "", {8282}),
    "utils/mongo-replicaset/docker-compose.yml": (BACK, "", set()),
    "visualization/grafana/docker-compose.yml": (BACK, "", {3000}),
    "visualization/mqtt-panel/docker-compose.yml": (NONE, "", set()),
}
# Of each kind one that is always here.
OWN: dict[str, tuple[str, tuple[set[str], str, set[int]]]] = {
    "accepted": ("services: {a: {image: x, ports: ['80:8000'], depends_on: [gone]}}", (NONE, "", {80})),
    "networks": (
        "services: {a: {image: x, networks: [b]}}\nnetworks: {b: {external: {name: '${B:-backend}'}}}",
        (BACK, "", set()),
    ),
    "port": ("services: {a: {image: x, ports: ['${P}:${P}']}}", (NONE, "names no container port. P has", set())),
    "file": (
        "services: {a: {image: x, configs: [c]}}\nconfigs: {c: {file: gone.yml}}",
        (NONE, "no file 'gone.yml'", set()),
    ),
}
HOSTS = [HostFacts(f"fw-{n}", "manager", arch="x86_64", cpus=4, memory=8 * 2**30) for n in (1, 2, 3)]


def recipes() -> dict[str, Path]:
    found = corpus("smartsdk-recipes")
    folder = found / "recipes" if found else Path()
    composes = {*folder.rglob("docker-compose*.yml"), *(folder / "tools").glob("*.yml")} if found else ()
    return {path.relative_to(folder).as_posix(): path for path in sorted(composes)}


RECIPES = recipes()


def looked_at(name: str, **facts: object) -> tuple[Preview, tuple[set[str], str, set[int]]]:
    known = {"stack_name": "smart", "mtu": 1400, "hosts": HOSTS, "secrets": set(), "configs": set(), **facts}
    text, files, verdict = (OWN[name][0], {}, OWN[name][1]) if name in OWN else read(name)
    return preview(parse(text, files), {}, EnvironmentFacts(**known)), verdict  # type: ignore[arg-type]


def read(name: str) -> tuple[str, dict[str, bytes], tuple[set[str], str, set[int]]]:
    path = RECIPES[name]
    around = (file for file in path.parent.rglob("*") if file.is_file())
    files = {file.relative_to(path.parent).as_posix(): file.read_bytes() for file in around}
    return path.read_text(), files, VERDICTS[name]


def test_every_recipe_has_a_verdict() -> None:
    assert set(RECIPES) <= set(VERDICTS)


@pytest.mark.parametrize("name", [*OWN, *RECIPES])
def test_networks_that_lack_are_offered_and_all_else_is_as_the_cli_says(name: str) -> None:
    shown, (networks, refusal, _) = looked_at(name)

    errors = [problem for problem in shown.problems if problem.severity == "error"]
    others = [problem.message for problem in errors if not problem.offer.startswith("create-network:")]
    assert {p.offer.partition(":")[2] for p in errors if p.offer.startswith("create-network:")} == networks
    assert [refusal in message for message in others] == ([True] if refusal else [])


@pytest.mark.parametrize("name", [*OWN, *RECIPES])
def test_with_the_networks_made_first_it_deploys_unless_the_cli_refuses_it(name: str) -> None:
    shown, (networks, refusal, _) = looked_at(name, wished_networks=frozenset(BOTH))

    assert shown.deployable is not bool(refusal)
    assert {network.name for network in shown.networks if network.wished} == networks


@pytest.mark.parametrize("name", [*OWN, *RECIPES])
def test_ports_that_are_held_clash(name: str) -> None:
    everything = {(port, protocol): "proxy_web" for port in range(1, 10_000) for protocol in ("tcp", "udp")}

    shown, (_, _, ports) = looked_at(name, networks=BOTH, published_ports=everything)

    held = [p.message for p in shown.problems if "in use by 'proxy_web'" in p.message]
    assert {int(message.split()[1].partition("/")[0]) for message in held} == ports


def test_a_port_that_only_another_recipe_takes_stops_nobody() -> None:
    held = {(80, "tcp"): "proxy_web"}
    stopped = {name for name in (*OWN, *RECIPES) if said_in_use(name, held)}

    assert stopped == {name for name in RECIPES if 80 in VERDICTS[name][2]} | {"accepted"}


def said_in_use(name: str, held: dict[tuple[int, str], str]) -> bool:
    return any("in use by" in p.message for p in looked_at(name, published_ports=held)[0].problems)
