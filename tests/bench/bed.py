"""What is measured: one platform process and three nested engines, one manager and two workers."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.flows import environments, hosts
from dashboard.models import Environment, Host
from platform_manager.engines.client import EngineClient
from tests import factories
from tests.support import plain_deploy
from tests.support.lab import Lab, running_lab, succeeded, until

from .browser import Browser
from .figures import say


@dataclass
class Bed:
    lab: Lab
    pid: int
    environment: Environment
    browser: Browser
    hosts: list[Host]

    @property
    def manager(self) -> Host:
        return next(host for host in self.hosts if host.role == "manager")

    @property
    def path(self) -> str:
        """The beginning of the environment's addresses."""
        return f"/environments/{self.environment.pk}"

    def link(self, host: Host) -> Path:
        """The link's socket, through which platform and raw tools reach the host's engine alike."""
        return self.lab.var / "links" / f"{host.pk}.sock"

    def engine(self, host: Host | None = None) -> EngineClient:
        return EngineClient(self.link(host or self.manager))

    def host_of(self, node_id: str) -> Host:
        return next(host for host in self.hosts if host.node_id == node_id)

    def command(self, *words: str) -> list[str]:
        """The raw Docker CLI on the manager's engine."""
        return ["docker", "-H", f"unix://{self.link(self.manager)}", *words]

    def docker(self, *words: str, given: str = "") -> None:
        subprocess.run(self.command(*words), input=given, check=True, capture_output=True, text=True)

    def deploy(self, stack: str, compose: str) -> None:
        """``docker stack deploy``, raw."""
        self.docker("stack", "deploy", "--detach=true", "-c", "-", stack, given=compose)

    def remove(self, stack: str) -> None:
        """``docker stack rm``, raw, until nothing of it is left."""
        plain_deploy.remove(self.link(self.manager), stack)
        self.wait_gone(stack)

    async def tasks(self, client: EngineClient, stack: str) -> list[dict[str, Any]]:
        """The stack's tasks as the engine tells them."""
        label = {"label": [f"com.docker.stack.namespace={stack}"]}
        found: list[dict[str, Any]] = await client.get("/tasks", filters=label) or []
        return found

    @contextmanager
    def stack(self, name: str, compose: str, tasks: int) -> Iterator[list[dict[str, Any]]]:
        """A raw stack whose tasks run and are in the platform's snapshot; gone afterwards."""
        self.deploy(name, compose)
        try:
            until(lambda: len(self.running(name)) == tasks, what=f"{tasks} tasks of {name} run")
            yield self.running(name)
        finally:
            self.remove(name)

    def running(self, stack: str) -> list[dict[str, Any]]:
        """The stack's running tasks as the platform's snapshot has them."""
        self.environment.snapshot.refresh_from_db()
        tasks: list[dict[str, Any]] = json.loads(self.environment.snapshot.tasks)
        return [task for task in tasks if task["stack"] == stack and task["state"] == "running"]

    async def _left(self, stack: str) -> bool:
        label = {"label": [f"com.docker.stack.namespace={stack}"]}
        async with self.engine() as client:
            return bool(
                await client.get("/services", filters=label)
                or await self.tasks(client, stack)
                or await client.get("/networks", filters=label)
            )

    def wait_gone(self, stack: str) -> None:
        until(lambda: not asyncio.run(self._left(stack)), what=f"{stack} is gone")


@contextmanager
def running_bed() -> Iterator[Bed]:
    """Everything it makes is removed at the end."""
    with running_lab(PM_LOG_LEVEL="WARNING") as lab:
        process = lab.start_platform()
        say("the platform answers; making 3 hosts")
        user = factories.user("bench")
        environment = environments.create_environment(user, name="bench", managers=1)
        succeeded(hosts.add_hosts(environment, user, driver="local", prefix="fw", quantity=3))
        rows = list(Host.objects.filter(environment=environment))
        until(lambda: all(host.engine_up for host in Host.objects.all()), what="all engines answer")
        say("1 manager and 2 workers stand")
        yield Bed(lab, process.pid, environment, Browser(lab.url, user), rows)
