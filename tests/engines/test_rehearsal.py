"""Rehearsals: the real CLI on a socket behind which nothing is changed, and programs that pretend to be it."""

import asyncio
import stat
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fake_engine import HASTY, LIMITS, FakeEngine, chunked, hanging, http

from platform_manager.engines import cli
from platform_manager.engines import rehearsal as stage
from platform_manager.engines.client import EngineClient
from platform_manager.engines.rehearsal import Given, Rehearsal, rehearse
from platform_manager.errors import ProviderError, UserError

Until = Callable[[Callable[[], object]], Awaitable[None]]
COMPOSE = """
version: "3.8"
services:
  web:
    image: registry.invalid/web:1
    configs: [conf]
    secrets: [key]
    networks: [own, shared]
networks:
  own: {attachable: true}
  shared: {external: true}
configs: {conf: {file: ./a.conf}}
secrets: {key: {file: ./a.conf}}
"""
SIMPLE = 'version: "3.8"\nservices:\n  web:\n    image: registry.invalid/web:1\n'
FILES = {"a.conf": b"hello"}
OF_STACK = {"com.docker.stack.namespace": "s1"}
# The CLIs of this machine: hosts of platforms have older and newer ones.
CLIS = sorted(
    {str(Path(folder, "docker").resolve()) for folder in cli.PATH.split(":") if Path(folder, "docker").exists()}
)


@pytest.fixture(autouse=True)
def swarm(engine: FakeEngine) -> FakeEngine:
    """A manager that has a shared network and nothing of the stack."""
    engine.answers |= {
        "/info": http({"Swarm": {"LocalNodeState": "active", "ControlAvailable": True}}),
        "/services": http([]),
        "/secrets": http([]),
        "/configs": http([]),
        "/networks": http([]),
        "/networks/shared": http({"Name": "shared", "Id": "n1", "Scope": "swarm", "Driver": "overlay"}),
    }
    return engine


@pytest.fixture(autouse=True)
def leaves_nothing(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Whatever happens in a test, no folder of a rehearsal is left."""
    folder = short_dir / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert list(folder.iterdir()) == []


def orders(rehearsal: Rehearsal) -> list[str]:
    return [f"{one.method} {one.path} {one.body.get('Name', '')}".strip() for one in rehearsal.requests]


@pytest.mark.parametrize("program", CLIS)
async def test_every_order_is_written_down_and_none_reaches_the_engine(
    program: str, client: EngineClient, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "docker", lambda: program)
    monkeypatch.setattr(cli, "features", cli.features.__wrapped__)
    rehearsal = await rehearse(client, "s1", COMPOSE, files=FILES)
    assert rehearsal.exit_code == 0, rehearsal.output
    assert orders(rehearsal) == [
        "POST /networks/create s1_own",
        "POST /secrets/create s1_key",
        "POST /configs/create s1_conf",
        "POST /services/create s1_web",
    ]
    container = rehearsal.requests[-1].body["TaskTemplate"]["ContainerSpec"]
    assert container["Configs"][0]["ConfigName"] == "s1_conf"
    assert container["Configs"][0]["ConfigID"].startswith("rehearsed")
    assert container["Secrets"][0]["SecretID"].startswith("rehearsed")
    assert {request.method for request in engine.requests} <= {"GET", "HEAD"}


async def test_nothing_is_asked_twice(client: EngineClient, engine: FakeEngine) -> None:
    await rehearse(client, "s1", COMPOSE, files=FILES)
    asked = [request.target for request in engine.requests if request.path != "/_ping"]
    assert sorted(set(asked)) == sorted(asked)


async def test_what_will_be_made_first_counts_as_there(client: EngineClient, engine: FakeEngine) -> None:
    del engine.answers["/networks/shared"]
    missing = await rehearse(client, "s1", COMPOSE, files=FILES)
    assert missing.exit_code == 1
    assert 'network "shared" is declared as external, but could not be found' in missing.output
    compose = COMPOSE.replace("{file: ./a.conf}", "{external: true}")
    given = Given(networks=frozenset({"shared"}), secrets=frozenset({"key"}), configs=frozenset({"conf"}))
    rehearsal = await rehearse(client, "s1", compose, given=given)
    assert rehearsal.exit_code == 0, rehearsal.output
    assert orders(rehearsal) == ["POST /networks/create s1_own", "POST /services/create s1_web"]


async def test_a_network_that_is_there_is_declared_and_not_made(client: EngineClient, engine: FakeEngine) -> None:
    own = {"Name": "s1_default", "Id": "n2", "Scope": "swarm", "Driver": "overlay", "Labels": OF_STACK}
    engine.answers["/networks"] = http([own])
    rehearsal = await rehearse(client, "s1", SIMPLE)
    assert orders(rehearsal) == ["POST /services/create s1_web"]
    assert [one["Name"] for one in rehearsal.declared] == ["s1_default"]
    assert rehearsal.before.networks == [own]


async def test_a_network_of_somebody_else_stands_in_the_way(client: EngineClient, engine: FakeEngine) -> None:
    engine.answers["/networks"] = http([{"Name": "s1_default", "Id": "n2", "Scope": "swarm", "Labels": None}])
    rehearsal = await rehearse(client, "s1", SIMPLE)
    assert rehearsal.exit_code == 1
    assert "s1_default already exists" in rehearsal.output


async def test_services_are_updated_and_those_no_longer_in_the_file_removed(
    client: EngineClient, engine: FakeEngine
) -> None:
    names = {"a1": "s1_web", "b2": "s1_old"}
    services = [
        {"ID": identifier, "Version": {"Index": 7}, "Spec": {"Name": name, "Labels": OF_STACK, "TaskTemplate": {}}}
        for identifier, name in names.items()
    ]
    engine.answers["/services"] = http(services)
    rehearsal = await rehearse(client, "s1", SIMPLE)
    assert rehearsal.exit_code == 0, rehearsal.output
    assert orders(rehearsal) == [
        "DELETE /services/b2",
        "POST /networks/create s1_default",
        "POST /services/a1/update s1_web",
    ]
    assert rehearsal.before.services == services


async def test_a_network_that_no_list_has_is_asked_for_by_its_id(client: EngineClient, engine: FakeEngine) -> None:
    networks = [{"Target": "h1"}, {"Target": "../x"}, {"Target": 7}, "x"]
    spec = {"Name": "s1_web", "Labels": OF_STACK, "TaskTemplate": {"Networks": networks[:1] + networks[2:]}}
    engine.answers["/services"] = http([{"ID": "a1", "Version": {"Index": 7}, "Spec": spec}])
    engine.answers["/networks/h1"] = http({"Name": "host", "Id": "h1", "Scope": "swarm"})
    rehearsal = await rehearse(client, "s1", SIMPLE)
    assert [one["Name"] for one in rehearsal.before.networks] == ["host"]
    spec["TaskTemplate"] = {"Networks": networks}
    engine.answers["/services"] = http([{"ID": "a1", "Version": {"Index": 7}, "Spec": spec}])
    with pytest.raises(ProviderError, match="can't be a name"):
        await rehearse(client, "s1", SIMPLE)


async def test_a_mistake_in_the_file_is_told_in_the_clis_words(client: EngineClient) -> None:
    rehearsal = await rehearse(client, "s1", SIMPLE + "    imagine: x\n")
    assert rehearsal.exit_code == 1
    assert "imagine" in rehearsal.output
    assert rehearsal.requests == ()


async def test_several_rehearse_at_once(client: EngineClient) -> None:
    found = await asyncio.gather(*(rehearse(client, f"s{n}", SIMPLE, timeout=60) for n in range(6)))
    assert [orders(one)[-1] for one in found] == [f"POST /services/create s{n}_web" for n in range(6)]


async def test_a_manager_that_can_not_be_reached_is_told(short_dir: Path) -> None:
    async with EngineClient(short_dir / "nobody.sock") as client:
        with pytest.raises(ProviderError, match="can't be reached"):
            await rehearse(client, "s1", SIMPLE)


async def test_a_manager_that_falls_silent_ends_the_rehearsal(engine: FakeEngine) -> None:
    engine.answers["/services"] = hanging()
    async with EngineClient(engine.path, limits=HASTY) as client:
        with pytest.raises(ProviderError, match="within 1 seconds"):
            await rehearse(client, "s1", SIMPLE, timeout=20)
    async with EngineClient(engine.path, limits=LIMITS) as client:
        with pytest.raises(ProviderError, match=r"longer than 0\.5 s"):
            await rehearse(client, "s1", SIMPLE, timeout=0.5)


async def test_a_manager_that_tells_too_much_ends_the_rehearsal(client: EngineClient, engine: FakeEngine) -> None:
    engine.answers["/networks"] = chunked(b"[" + b'"x",' * 400_000)
    with pytest.raises(ProviderError, match="larger than"):
        await rehearse(client, "s1", SIMPLE)


@pytest.mark.parametrize("answer", [b"{", b'"text"', b"[1, null]", b"{}"])
async def test_nonsense_from_a_manager_is_no_crash(client: EngineClient, engine: FakeEngine, answer: bytes) -> None:
    engine.answers |= {kind: http(answer) for kind in ("/services", "/networks", "/secrets", "/configs")}
    try:
        rehearsal = await rehearse(client, "s1", SIMPLE)
    except ProviderError:
        return
    assert all(isinstance(one, dict) for one in rehearsal.before.services)


async def test_an_object_with_an_impossible_name_is_not_there(client: EngineClient) -> None:
    compose = COMPOSE.replace("{external: true}", "{external: true, name: 'a,b;c'}")
    rehearsal = await rehearse(client, "s1", compose, files=FILES)
    assert rehearsal.exit_code == 1
    assert "a,b;c" in rehearsal.output


async def test_a_stack_name_is_checked_before_anything(client: EngineClient) -> None:
    with pytest.raises(UserError, match="stack's name"):
        await rehearse(client, "--help", SIMPLE)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("ask('POST', '/v1.41/containers/create', b'{}')", "no plan knows: POST /containers/create"),
        ("ask('DELETE', '/v1.41/nodes/x')", "no plan knows: DELETE /nodes/x"),
        ("ask('PUT', '/v1.41/networks/create', b'{}')", "no plan knows: PUT"),
        ("ask('GET', '/v1.41/distribution/web/json')", "registry"),
        ("ask('POST', '/v1.41/services/create', b'[' * 100)", "not valid JSON"),
        ("ask('POST', '/v1.41/configs/create', b'x' * 5_000_000)", "larger than an engine"),
        ("[ask('GET', '/v1.41/info') for _ in range(41)]", "more than 40 times"),
    ],
)
async def test_what_is_not_known_is_refused_and_goes_nowhere(
    client: EngineClient,
    engine: FakeEngine,
    pretend: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    sentence: str,
) -> None:
    monkeypatch.setattr(stage, "REQUESTS", 40)
    pretend(script)
    with pytest.raises(ProviderError, match=sentence):
        await rehearse(client, "s1", SIMPLE, timeout=30)
    known = {"/_ping", "/info", "/services", "/secrets", "/configs", "/networks"}
    assert {request.path for request in engine.requests} <= known
    assert {request.method for request in engine.requests} == {"GET"}


async def test_what_was_made_is_found_again_by_name_and_label(
    client: EngineClient, pretend: Callable[[str], None]
) -> None:
    pretend(
        """
body = json.dumps({"Name": "s1_conf", "Labels": {"com.docker.stack.namespace": "s1", "a": "b"}}).encode()
made = json.loads(ask("POST", "/v1.41/configs/create", body))["ID"]
by = lambda filters: [one["ID"] for one in json.loads(ask("GET", "/v1.41/configs?filters=" + quote(filters)))]
assert by('{"label":["a=b"]}') == by('{"label":{"a":true}}') == by('{"name":["s1_conf"]}') == [made]
assert by('{"label":["a=c"]}') == by('{"name":["other"]}') == by('{"id":["zzz"]}') == by('{"what":["x"]}') == []
assert json.loads(ask("GET", "/v1.41/configs/s1_conf"))["Spec"]["Name"] == "s1_conf"
assert json.loads(ask("GET", "/v1.41/configs/" + made))["ID"] == made
assert "already exists" in ask("POST", "/v1.41/configs/create", body, 409)
ask("DELETE", "/v1.41/configs/" + made, None, 204)
assert by('{"name":["s1_conf"]}') == []
print("all found")
"""
    )
    rehearsal = await rehearse(client, "s1", SIMPLE)
    assert (rehearsal.output, rehearsal.exit_code) == ("all found\n", 0)


async def test_a_cancelled_rehearsal_leaves_no_process(
    client: EngineClient, pretend: Callable[[str], None], short_dir: Path, until: Until
) -> None:
    pid = short_dir / "pid"
    pretend(f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()) + ' ')\ntime.sleep(60)")
    running = asyncio.create_task(rehearse(client, "s1", SIMPLE, timeout=60))
    await until(lambda: pid.exists() and pid.read_text().endswith(" "))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not Path("/proc", pid.read_text().strip()).exists()


@pytest.fixture
def pretend(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a program in the CLI's place; ``ask`` in it sends a request to the socket it was given."""
    program = short_dir / "docker"
    head = f"""#!{sys.executable} -IS
import http.client, json, socket, sys
from urllib.parse import quote

def ask(method, path, body=None, wanted=None):
    connection = http.client.HTTPConnection("engine")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(sys.argv[sys.argv.index("-H") + 1].removeprefix("unix://"))
    try:
        connection.request(method, path, body)
    except BrokenPipeError:
        pass
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert wanted in (None, answer.status), (answer.status, text)
    return text

"""

    def write(script: str) -> None:
        cli.features()  # of the real one
        program.write_text(head + script)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(cli, "docker", lambda: str(program))

    return write
