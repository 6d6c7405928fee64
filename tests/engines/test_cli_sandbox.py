"""The Docker CLI in its sandbox: the real one, asked by nobody but us."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from fake_engine import STREAM, FakeEngine, endless, hanging, http

from dashboard.operations.deploying.registry_auth import NO_LOGINS
from platform_manager.engines import cli, sandbox
from platform_manager.errors import PlatformError, UserError

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = 'version: "3.8"\nservices:\n  web:\n    image: registry.invalid/web:${TAG:-none}\n'
OVERLAY = 'version: "3.8"\nservices:\n  web:\n    image: registry.invalid/web:7\n'
Until = Callable[[Callable[[], object]], Awaitable[None]]


async def shell(script: str, timeout: float = 5, **files: bytes) -> sandbox.Finished:
    with sandbox.room(files) as place:
        return await sandbox.run("/bin/sh", "-c", script, room=place, timeout=timeout)


async def test_no_variable_of_ours_is_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", "ours")
    result = await cli.stack_config(COMPOSE + "    environment: [HOME, PATH, TAG, DOCKER_CONFIG]\n")
    assert result.exit_code == 0
    assert "web:none" in result.output
    assert result.output.count(": null\n") == 4


async def test_a_mistake_is_told_in_the_clis_words() -> None:
    result = await cli.stack_config('version: "3.8"\nservices:\n  web:\n    imagine: x\n')
    assert result.exit_code == 1
    assert "imagine" in result.errors
    assert result.output == ""


async def test_files_next_to_the_compose_file_are_seen() -> None:
    compose = COMPOSE + "    env_file: settings/web.env\n"
    result = await cli.stack_config(compose, files={"settings/web.env": b"COLOUR=red\n"})
    assert "COLOUR: red" in result.output
    missing = await cli.stack_config(compose)
    assert missing.exit_code == 1
    assert "web.env" in missing.errors


async def test_the_room_holds_nothing_else_and_there_is_no_environment() -> None:
    result = await shell("env; pwd; ls -a; ls -a ../home; umask", note=b"n")
    names = {line.partition("=")[0] for line in result.output.splitlines() if "=" in line}
    assert names <= {"PWD", "SHLVL", "OLDPWD", "_"}
    assert "/work\n.\n..\nnote\n.\n..\n" in result.output


async def test_the_room_is_gone_afterwards() -> None:
    place = Path((await shell("pwd; touch made-here")).output.strip())
    assert place.name == "work"
    assert not place.parent.exists()


def test_what_a_killed_process_left_goes_with_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    begins = "import os; from platform_manager.engines import sandbox"
    ends = """with sandbox.room({}, b'{"auths": {}}'): os._exit(9)"""
    words = [sys.executable, "-c", f"{begins}\n{ends}"]
    killed = subprocess.run(words, cwd=ROOT, env={"TMPDIR": str(tmp_path)}, check=False)
    (left,) = tmp_path.iterdir()
    assert (killed.returncode, (left / "home" / "config.json").exists()) == (9, True)

    with sandbox.room({}) as one, sandbox.room({}):
        assert one.directory.exists()
        assert not left.exists()


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "a/../../x", "a//b", "./a", "", "a\0b", "x" * 300, "a/", "\ud800"]
)
async def test_a_file_name_can_not_lead_outside(name: str) -> None:
    with pytest.raises(UserError):
        await cli.stack_config(COMPOSE, files={name: b""})


async def test_a_file_can_not_be_two_things() -> None:
    with pytest.raises(UserError, match="can't be used"):
        await cli.stack_config(COMPOSE, files={"a": b"", "a/b": b""})


async def test_files_may_have_the_names_of_compose_files() -> None:
    files = {"compose.yaml": b"COLOUR=red\n", "compose.1.yaml/a": b""}
    compose = COMPOSE + "    env_file: compose.yaml\n"
    assert "COLOUR: red" in (await cli.stack_config(compose, files=files)).output


async def test_overlays_are_merged_in_their_order() -> None:
    overlays = ["services: {web: {image: b, hostname: one}}", "services: {web: {image: c}}"]
    result = await cli.stack_config("services: {web: {image: a}}", overlays=overlays)
    assert "image: c" in result.output and "hostname: one" in result.output


async def test_credentials_reach_the_cli_without_a_helper_program(engine: FakeEngine) -> None:
    swarm(engine)
    auth = {"auths": {"registry.invalid": {"auth": "dXNlcjpwYXNz"}}}
    result = await cli.stack_deploy(
        engine.path, "s1", COMPOSE, resolve_image="never", registry_auth=json.dumps(auth).encode()
    )
    assert result.exit_code == 0, result.output
    created = next(request for request in engine.requests if request.path == "/services/create")
    assert "x-registry-auth" in created.headers
    for bad in (b"{", b"[]", b'{"auths": {}, "credHelpers": {"x": "y"}}', b'{"credsStore": "pass"}'):
        with pytest.raises(UserError, match="auths"):
            await cli.stack_deploy(engine.path, "s1", COMPOSE, registry_auth=bad)


async def test_credentials_for_nothing_take_those_that_a_service_has(engine: FakeEngine) -> None:
    swarm(engine)
    result = await cli.stack_deploy(engine.path, "s1", COMPOSE, resolve_image="never", registry_auth=NO_LOGINS)
    created = next(request for request in engine.requests if request.path == "/services/create")
    # Without the header a swarm keeps what it has; this one says that there are none.
    assert json.loads(urlsafe_b64decode(created.headers["x-registry-auth"])) == {}, result.output


async def test_a_stack_is_deployed_to_the_engine_behind_the_socket(engine: FakeEngine) -> None:
    swarm(engine)
    result = await cli.stack_deploy(engine.path, "s1", COMPOSE, overlays=[OVERLAY], resolve_image="never")
    assert (result.exit_code, result.timed_out) == (0, False), result.output
    assert "Creating service s1_web" in result.output
    created = next(request for request in engine.requests if request.path == "/services/create")
    sent = json.loads(created.body)
    assert sent["Name"] == "s1_web"
    assert sent["TaskTemplate"]["ContainerSpec"]["Image"] == "registry.invalid/web:7"
    assert "x-registry-auth" not in created.headers


async def test_a_stack_name_is_no_option(engine: FakeEngine) -> None:
    for name in ("--help", "", "a b", "../x", "x" * 64):
        with pytest.raises(UserError, match="stack's name"):
            await cli.stack_deploy(engine.path, name, COMPOSE)


async def test_a_silent_engine_ends_in_a_timeout(engine: FakeEngine) -> None:
    engine.answers["/info"] = hanging()
    started = time.monotonic()
    result = await cli.stack_deploy(engine.path, "s1", COMPOSE, timeout=0.5)
    assert result.timed_out
    assert result.exit_code == -9
    assert time.monotonic() - started < 10


async def test_an_endless_answer_can_not_take_the_machines_memory(engine: FakeEngine) -> None:
    engine.answers["/info"] = endless(STREAM, b'{"Name":"' + b"x" * 1_000_000)
    result = await cli.stack_deploy(engine.path, "s1", COMPOSE, timeout=20)
    assert result.exit_code != 0
    assert not result.timed_out
    assert len(result.output) <= 256 * 1024


async def test_a_timeout_kills_the_whole_group(until: Until) -> None:
    sleep = f"sleep 60.{secrets.randbits(64)}"
    result = await shell(f"{sleep} & {sleep}", timeout=1)
    assert result.timed_out
    await until(lambda: not running(sleep))


@pytest.mark.parametrize("turns", [*range(8), None])
async def test_a_cancelled_run_kills_the_whole_group(turns: int | None, until: Until) -> None:
    """Whether it runs (None) or was about to start, some turns of the loop after the call."""
    sleep = f"sleep 60.{secrets.randbits(64)}"
    run = asyncio.create_task(shell(f"{sleep} & {sleep}", timeout=60))
    if turns is None:
        await until(lambda: len(running(sleep)) == 2)
    for _ in range(turns or 0):
        await asyncio.sleep(0)
    run.cancel()
    done, _ = await asyncio.wait([run], timeout=5)
    assert done and run.cancelled()
    await until(lambda: not running(sleep))


async def test_output_is_cut_but_read_to_the_end() -> None:
    result = await shell("head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2; exit 4")
    assert len(result.output) == 256 * 1024
    assert (result.exit_code, result.errors) == (4, "end\n")


async def test_memory_processor_and_files_are_limited() -> None:
    limits = (await shell("sleep 0.2; cat /proc/self/limits")).output
    for name, value in {"Max data size": 2**29, "Max cpu time": 60, "Max core file size": 0}.items():
        line = next(line for line in limits.splitlines() if line.startswith(name))
        assert line.split()[len(name.split())] == str(value)


async def test_an_old_cli_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.features() == cli.Features(detach=True, config=True)
    monkeypatch.setattr(cli, "features", lambda: cli.Features(detach=False, config=False))
    with pytest.raises(PlatformError, match="stack config"):
        await cli.stack_config(COMPOSE)


def running(command: str) -> list[str]:
    """The processes with exactly this command line."""
    wanted = command.replace(" ", "\0") + "\0"
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if (process / "cmdline").read_text(errors="replace") == wanted:
                found.append(process.name)
    return found


def swarm(engine: FakeEngine) -> None:
    """Answers of a manager without any stack, as far as a deployment asks."""
    network = {"Name": "s1_default", "Id": "n1", "Scope": "swarm", "Driver": "overlay"}
    engine.answers |= {
        "/info": http({"Swarm": {"LocalNodeState": "active", "ControlAvailable": True}}),
        "/services": http([]),
        "/networks": http([]),
        "/networks/create": http(network, status=201),
        "/secrets": http([]),
        "/configs": http([]),
        "/services/create": http({"ID": "sv1"}, status=201),
    }
    assert os.access(cli.docker(), os.X_OK)
