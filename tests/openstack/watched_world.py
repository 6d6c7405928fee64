"""A host with its server in the fake cloud, and one worker that looks at both."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from fake_openstack import FakeOpenStack

from dashboard.models import CloudAccount, Environment, Host
from dashboard.operations.clouds.cloud_look import Memory, look_at
from platform_manager.clouds.openstack.marks import Mark
from tests import factories

Thing = dict[str, Any]


class World:
    """A host with its server, as it was made, and one worker that looks."""

    def __init__(self, fake: FakeOpenStack, environment: Environment, account: CloudAccount) -> None:
        self.fake, self.environment, self.account = fake, environment, account
        self.memory = Memory()
        self.host = factories.host(
            environment, "fw-01", driver="openstack", account=account, options={"image": "i-base_debian_12"}
        )
        self.server = self.serve(self.host)

    def serve(self, host: Host, **more: Any) -> Thing:
        """A server with the host's mark and a port, which the host's row knows."""
        mark = Mark(settings.PM_INSTALLATION, str(host.environment_id), str(host.pk))
        server = self.fake.resources.add_server(
            host.name, metadata=mark.metadata(), image={"id": "i-base_debian_12"}, **more
        )
        self.moved(server, "10.89.4.33")
        Host.objects.filter(pk=host.pk).update(provider_id=server["id"], addresses=["10.89.4.33"])
        return server

    def moved(self, server: Thing, address: str) -> None:
        fixed = {"version": 4, "addr": address, "OS-EXT-IPS:type": "fixed"}
        server["addresses"] = {"node-int-net-01": [fixed]}

    def floating(self, server: Thing) -> Thing:
        port = next(port for port in self.fake.resources.ports.values() if port["device_id"] == server["id"])
        mark = Mark(settings.PM_INSTALLATION, str(self.environment.pk), str(self.host.pk))
        return self.fake.resources.add_ip(mark.description(), port["id"])

    def look(self) -> Host:
        self.account.refresh_from_db()
        look_at(self.account, self.memory)
        self.account.refresh_from_db()
        self.host.refresh_from_db()
        return self.host

    def told(self) -> tuple[str, str]:
        host = self.look()
        return host.machine, host.machine_detail

    @property
    def leftovers(self) -> list[str]:
        return [f"{row['kind']} {row['name']}" for row in self.account.leftovers]
