"""A whole platform for a test: its processes started for real, its hosts nested engines of this machine.

The processes use the test run's own database, so a test calls flows and reads rows while they do the work.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from dashboard.models import Operation, OperationLog
from platform_manager import wiring
from platform_manager.clouds.local import LocalDriver

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 120


def until(probe: Callable[[], Any], *, what: str, seconds: float = DEADLINE_SECONDS, every: float = 0.05) -> Any:
    """The first true value of the probe; fails the test after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = probe()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {what}")


def free_port(address: str) -> int:
    with socket.create_server((address, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout


def built(script: str) -> list[str]:
    """Run one of the project's image builders, which do nothing when the images are there."""
    return subprocess.run(["sh", ROOT / "scripts" / script], check=True, capture_output=True, text=True).stdout.split()


def test_database_url() -> str:
    """The address of the database this test run uses."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        return f"sqlite://{Path(str(name)).resolve()}"
    given = settings.PM_DATABASE_URL.rpartition("/")[0]
    return f"{given}/{name}"


@dataclass
class Lab:
    """Processes, addresses and names of one platform."""

    var: Path
    address: str
    environ: dict[str, str]
    url: str
    installation: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *words: str, **environ: str) -> subprocess.Popen[bytes]:
        with (self.var / f"{Path(words[-1]).name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env={**self.environ, **environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def start_web(self) -> subprocess.Popen[bytes]:
        process = self.start("-m", "tests.support.web")
        until(lambda: self.answers() or process.poll() is not None, what="the web process answers")
        assert process.poll() is None, "the web process ended"
        return process

    def start_hub(self) -> subprocess.Popen[bytes]:
        process = self.start("manage.py", "hub")
        host, _, port = self.environ["PM_HUB_LISTEN"].rpartition(":")
        until(
            lambda: connects(host, int(port)) or process.poll() is not None,
            what="the hub listens",
        )
        assert process.poll() is None, "the hub ended"
        return process

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self.start("manage.py", "worker")

    def start_platform(self) -> subprocess.Popen[bytes]:
        """All in one process, as the demo runs it."""
        process = self.start("manage.py", "platform")
        until(lambda: self.answers() or process.poll() is not None, what="the platform answers")
        assert process.poll() is None, "the platform ended"
        return process

    def answers(self) -> bool:
        host, _, port = self.environ["PM_LISTEN"].split(",")[0].rpartition(":")
        return connects(host, int(port))

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9, with everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def containers(self) -> list[str]:
        """The ids of every container of this installation, running or not."""
        label = f"label=platform-manager.installation={self.installation}"
        return docker("ps", "-aq", "--filter", label).split()

    def leftovers(self) -> list[str]:
        """Names of all containers, volumes and networks of this installation."""
        label = f"label=platform-manager.installation={self.installation}"
        return [
            *docker("ps", "-aq", "--filter", label).split(),
            *docker("volume", "ls", "-q", "--filter", label).split(),
            *docker("network", "ls", "-q", "--filter", label).split(),
        ]

    def logs(self) -> str:
        """The ends of the processes' logs, for a failing test."""
        return "\n".join(f"== {log.name}\n{log.read_text()[-4000:]}" for log in sorted(self.var.glob("*.log")))

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                self.kill(process)
        subprocess.run(
            [sys.executable, "manage.py", "clean_local"],
            cwd=ROOT,
            env=self.environ,
            check=True,
            capture_output=True,
        )
        shutil.rmtree(self.var, ignore_errors=True)


def connects(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def running_lab(**extra: str) -> Iterator[Lab]:
    """A lab with nothing started yet; everything it makes is gone afterwards."""
    gateway = wiring.run(LocalDriver(settings.PM_LOCAL_ENGINE, "", "").gateway(), 30)
    var = Path(tempfile.mkdtemp(prefix="pm-lab-"))
    port, hub_port, installation = free_port(gateway), free_port(gateway), f"test{secrets.token_hex(3)}"
    environ = {
        **os.environ,
        "PM_VAR": str(var),
        "PM_ENCRYPTION_KEYS": settings.PM_ENCRYPTION_KEYS[0],
        "PM_SECRET_KEY": settings.SECRET_KEY,
        "PM_DATABASE_URL": test_database_url(),
        "PM_INSTALLATION": installation,
        "PM_URL": f"http://127.0.0.1:{port}",
        "PM_LISTEN": f"127.0.0.1:{port},{gateway}:{port}",
        "PM_HUB_LISTEN": f"{gateway}:{hub_port}",
        "PM_LOCAL_ADDRESS": gateway,
        "PM_HOST_IMAGE": built("host-image.sh")[-1],
        "PM_LOCAL_PRELOAD": ",".join(built("workload-images.sh")),
        "PM_HOST_SECONDS": "90",
        "PM_CONVERGE_SECONDS": "60",
        "PM_LOG_LEVEL": "INFO",
        # No catalog of the internet.
        "PM_SMARTSDK_RECIPES": "none",
        "PYTHONFAULTHANDLER": "1",
        **extra,
    }
    lab = Lab(var=var, address=gateway, environ=environ, url=environ["PM_URL"], installation=installation)
    try:
        yield lab
    except BaseException:
        sys.stderr.write(lab.logs())
        raise
    finally:
        lab.close()


def finished(operation: Operation, *, seconds: float = 240) -> Operation:
    """The operation once it has ended."""

    def ended() -> bool:
        operation.refresh_from_db()
        return operation.finished

    try:
        until(ended, what=f"{operation.title} ends", seconds=seconds, every=0.1)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{transcript(operation)}") from None
    return operation


def succeeded(operation: Operation, *, seconds: float = 240) -> Operation:
    """The operation once it has ended well."""
    finished(operation, seconds=seconds)
    assert operation.state == "succeeded", transcript(operation)
    return operation


def transcript(operation: Operation) -> str:
    """What the operation's page would show."""
    steps = "\n".join(f"{step.n} {step.title}: {step.state} {step.error}" for step in operation.steps.all())
    lines = "\n".join(f"[{line.step}] {line.text}" for line in OperationLog.objects.filter(operation=operation))
    return f"{operation.title}: {operation.state} {operation.error}\n{steps}\n{lines}"
