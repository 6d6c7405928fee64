"""Two swarms alike: what the platform deploys on one is compared with plain ``docker stack deploy`` on the other."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from dashboard.flows import environments, hosts
from dashboard.models import Environment, Snapshot
from tests import factories
from tests.support import plain_deploy
from tests.support.lab import Lab, succeeded, until

MTU = "com.docker.network.driver.mtu"


class SwarmPair:
    """``ours`` and ``plain`` have one host each. The platform's processes run."""

    def __init__(self, lab: Lab) -> None:
        lab.start_web()
        lab.start_hub()
        lab.start_worker()
        self.lab, self.user = lab, factories.user()
        made = [environments.create_environment(self.user, name=name, managers=1) for name in ("ours", "plain")]
        self.ours, self.plain = made
        adding = [hosts.add_hosts(one, self.user, driver="local", prefix="fw", quantity=1) for one in made]
        for operation in adding:
            succeeded(operation)
        for one in made:
            one.refresh_from_db()
            until(partial(self._seen, one), what=f"the hub has seen the networks of {one}")

    @staticmethod
    def _seen(environment: Environment) -> bool:
        return '"backend"' in Snapshot.objects.get(environment=environment).networks

    @property
    def mtu(self) -> int:
        assert self.ours.swarm_mtu
        return int(self.ours.swarm_mtu)

    @property
    def sockets(self) -> tuple[Path, Path]:
        """Of the engines of ``ours`` and of ``plain``."""
        return self.socket(self.ours), self.socket(self.plain)

    def socket(self, environment: Environment) -> Path:
        return self.lab.var / "links" / f"{environment.hosts.get().pk}.sock"

    def deploy_plain(
        self, stack: str, compose: str, files: Mapping[str, str | bytes], variables: Mapping[str, str]
    ) -> None:
        """``files`` are bytes or base64, by path next to the compose file."""
        folder = self.lab.var / "plain" / stack
        folder.mkdir(parents=True)
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data if isinstance(data, bytes) else b64decode(data))
        (folder / "stack.yml").write_text(compose)
        given = {"STACK_NAME": stack, "DOCKER_MTU": str(self.mtu), **variables}
        plain_deploy.deploy(self.sockets[1], folder / "stack.yml", stack, given)

    def assert_alike(self, stack: str) -> None:
        """Services, configs, secrets and networks are told the same, the MTU of networks aside."""
        ours, plain = (plain_deploy.services(socket, stack) for socket in self.sockets)
        assert ours, stack
        assert ours == plain, stack
        for kind in ("config", "secret"):
            found = [plain_deploy.contents(socket, kind, stack) for socket in self.sockets]
            assert found[0] == found[1], stack
        made = [plain_deploy.networks(socket, stack) for socket in self.sockets]
        for network in made[0].values():
            assert network["Driver"] != "overlay" or network["Options"].pop(MTU), f"{stack}: a network without MTU"
        for network in made[1].values():
            network["Options"].pop(MTU, "")
        assert made[0] == made[1], stack
