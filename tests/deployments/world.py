"""Environments of one host each on a platform whose processes run, for the tests of a module."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User

from dashboard.flows import environments, hosts, stacks
from dashboard.models import Environment, Host, Operation, OperationState, Revision, Snapshot, Stack
from tests.support import plain_deploy
from tests.support.lab import Lab, finished, succeeded, transcript


class World:
    """One environment with one host, and who deploys there."""

    def __init__(self, lab: Lab, user: User, environment: Environment) -> None:
        self.lab, self.user, self.environment = lab, user, environment

    def deploy(self, name: str, compose: str, *, updating: bool = False, **more: Any) -> Operation:
        wish = stacks.Wish(name, compose, **more)
        return stacks.deploy_stack(self.environment, self.user, wish, updating=updating)

    def stack(self, name: str) -> Stack:
        return Stack.objects.get(environment=self.environment, name=name)

    def revision(self, name: str) -> Revision:
        found = self.stack(name).revisions.first()
        assert found is not None
        return found

    @property
    def host(self) -> Host:
        """The first one."""
        return self.environment.hosts.earliest("pk")

    def docker(self, *words: str) -> str:
        """The Docker CLI on the host's engine, outside the platform."""
        socket = f"unix://{self._socket}"
        return subprocess.run(["docker", "-H", socket, *words], check=True, capture_output=True, text=True).stdout

    def remove_plainly(self, stack: str) -> None:
        """``docker stack rm``, outside the platform."""
        plain_deploy.remove(self._socket, stack)

    @property
    def _socket(self) -> Path:
        return self.lab.var / "links" / f"{self.host.pk}.sock"

    def content(self, config: str) -> bytes:
        return b64decode(json.loads(self.docker("config", "inspect", config, "--format", "{{json .Spec.Data}}")))

    def secret_in_task(self, service: str, secret: str) -> bytes | None:
        """What the newest task of the service can read; None while there is none."""
        tasks = self.docker("ps", "-q", "--filter", f"label=com.docker.swarm.service.name={service}").split()
        return b64decode(self.docker("exec", tasks[0], "base64", f"/run/secrets/{secret}")) if tasks else None

    def specs(self, name: str) -> dict[str, Any]:
        """Of the stack's services, by name, without the labels that the CLI writes."""
        found = json.loads(self.docker("service", "inspect", *self.listed("service", name)))
        for one in found:
            one["Spec"]["Labels"].pop("com.docker.stack.image", None)
        return {one["Spec"]["Name"]: one["Spec"] for one in found}

    def knows(self, config: str) -> bool:
        """Whether the watcher has seen this config."""
        return config in json.loads(Snapshot.objects.get(environment=self.environment).configs)

    def listed(self, kind: str, name: str) -> list[str]:
        """The names of what carries the stack's label."""
        wanted = f"label=com.docker.stack.namespace={name}"
        return self.docker(kind, "ls", "--format", "{{.Name}}", "--filter", wanted).split()


def built(lab: Lab, *names: str) -> list[World]:
    """Environments of these names, once their hosts are there."""
    lab.start_web()
    lab.start_hub()
    lab.start_worker()
    user: User = get_user_model().objects.create_user("ann")
    made = [environments.create_environment(user, name=name, managers=1) for name in names]
    adding = [hosts.add_hosts(one, user, driver="local", prefix="fw", quantity=1) for one in made]
    for operation in adding:
        succeeded(operation)
    return [World(lab, user, environment) for environment in made]


def failed(operation: Operation | None) -> Operation:
    assert operation is not None
    assert finished(operation).state == OperationState.FAILED, transcript(operation)
    return operation
