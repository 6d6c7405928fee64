"""The scripts that prepare a machine: the engine starter on fake commands, the images on the real engine."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clouds_lab import SCRIPTS, docker, until

FAKES = {
    "docker": 'echo "docker $*" >>"$FAKES/calls"; [ -e "$FAKES/up" ] && echo 20.10.24',
    "apt-get": 'echo "apt-get $*" >>"$FAKES/calls"',
    "id": 'case $1 in -u) cat "$FAKES/uid" ;; *) echo somebody ;; esac',
    "dockerd": 'echo "dockerd $*" >>"$FAKES/calls"; touch "$FAKES/up"; exec sleep 60',
    "systemctl": "exit 1",
}


class Starter:
    """scripts/engine.sh among fake commands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, body in FAKES.items():
            (root / name).write_text(f"#!/bin/sh\n{body}\n")
            (root / name).chmod(0o755)
        (root / "uid").write_text("0")
        (root / "calls").touch()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{self.root}:{os.environ['PATH']}", "FAKES": str(self.root)}
        command = ["sh", str(SCRIPTS / "engine.sh"), *arguments, str(self.root / "var")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)

    @property
    def pid_file(self) -> Path:
        return self.root / "var" / "dockerd.pid"

    def calls(self, name: str) -> int:
        return sum(line.startswith(name) for line in (self.root / "calls").read_text().splitlines())


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    starter = Starter(tmp_path)
    yield starter
    if starter.pid_file.exists():
        os.kill(int(starter.pid_file.read_text()), signal.SIGKILL)


def test_an_engine_that_answers_is_left_as_it_is(starter: Starter) -> None:
    (starter.root / "up").touch()
    run = starter.run()
    assert (run.returncode, run.stdout) == (0, "engine: Docker engine 20.10.24 answers\n")
    assert starter.calls("apt-get") == starter.calls("dockerd ") == 0
    assert not starter.pid_file.exists()


def test_an_engine_is_started_in_the_background_once(starter: Starter) -> None:
    first, second = starter.run(), starter.run()
    assert first.returncode == second.returncode == 0, first.stderr
    assert starter.calls("dockerd") == 1
    os.kill(int(starter.pid_file.read_text()), 0)


def test_without_root_one_sentence_says_what_to_install(starter: Starter) -> None:
    (starter.root / "uid").write_text("1000")
    run = starter.run()
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1 and "install Docker 20.10 or newer" in run.stderr


def test_stopping_leaves_a_process_that_is_no_engine_alone(starter: Starter) -> None:
    starter.pid_file.parent.mkdir()
    starter.pid_file.write_text(str(os.getpid()))
    try:
        assert starter.run("--stop").returncode == 0
    finally:
        starter.pid_file.unlink()


TOOLS = ("sh", "dirname", "grep", "flock", "true")
MISSING = "python3-venv npm openssh-client debootstrap busybox-static"
MISSING_FOR_TESTS = "git jq chromium chromium-driver redis-server postgresql shellcheck docker-registry"


@pytest.mark.parametrize(("kind", "packages"), [("base", MISSING), ("dev", f"{MISSING} {MISSING_FOR_TESTS}")])
def test_without_root_all_packages_to_install_are_told_at_once(tmp_path: Path, kind: str, packages: str) -> None:
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    for name, body in {"id": "echo 1000", "dpkg": "exit 1", "python3": '[ "$2" != "import ensurepip" ]'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    command = ["sh", str(SCRIPTS / "setup.sh"), kind]
    run = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=20, check=False)
    assert (run.returncode, run.stderr) == (1, f"setup: install these packages first: {packages}\n")


@pytest.mark.parametrize("words", [[], ["--clean"]])
def test_a_demo_that_runs_is_neither_started_again_nor_cleaned_away(tmp_path: Path, words: list[str]) -> None:
    environment = {**os.environ, "PM_VAR": str(tmp_path / "demo")}

    def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(SCRIPTS / "demo.sh"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)

    (tmp_path / "demo").mkdir()
    with (tmp_path / "demo" / "running").open("w") as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        run = demo(*words)
        assert (run.returncode, run.stdout) == (1, "")
        assert run.stderr == "demo: it runs already: stop it with Ctrl-C where it was started, then repeat\n"
        assert (tmp_path / "demo").exists()
    assert demo("--clean").returncode == 0
    assert not (tmp_path / "demo").exists()


async def printed(container: str, words: str) -> None:
    async def found() -> bool:
        return words in docker("logs", container)

    await until(found, 5, words)


@pytest.mark.engine
async def test_the_workloads_say_what_they_do_and_stop_at_once(workload_images: list[str]) -> None:
    whoami, _, ticker, _, _, flaky = workload_images
    containers = [
        docker("run", "-d", "--label", "platform-manager.test=workloads", *arguments)
        for arguments in ([whoami], ["-e", "RATE=100", ticker], ["-e", "SECONDS=0", "-e", "CODE=7", flaky])
    ]
    try:
        await printed(containers[0], f"whoami 1 on {containers[0][:12]} listens on port 8000")
        await printed(containers[1], "line 40\n")
        await printed(containers[2], "flaky 2")
        answer = docker("exec", containers[0], "wget", "-qO-", "http://127.0.0.1:8000/")
        assert answer == containers[0][:12]
        await printed(containers[0], "response:200")
        assert docker("wait", containers[2]) == "7"
        began = time.monotonic()
        docker("stop", "-t", "60", *containers[:2])
        assert time.monotonic() - began < 30
    finally:
        docker("rm", "-f", *containers)


@pytest.mark.engine
def test_images_that_are_there_are_not_built_again(host_image: str, workload_images: list[str]) -> None:
    for script, names in (("host-image.sh", [host_image]), ("workload-images.sh", workload_images)):
        run = subprocess.run(["sh", SCRIPTS / script], capture_output=True, text=True, check=True)
        assert run.stdout.split() == names
        assert "building" not in run.stderr and "made" not in run.stderr
