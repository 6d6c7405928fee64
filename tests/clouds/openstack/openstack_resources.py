"""What the fake OpenStack holds: servers, keys, images and volumes; and how it answers for all there is."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from openstack_networks import EMPTY, EXTERNAL, ID, INTERNAL, NETWORK_ROUTES, Networks, Thing, page
from openstack_samples import KEY_PAIR_EXISTS, SERVER, Answer, bad, nova

__all__ = ["EXTERNAL", "INTERNAL", "Resources", "Thing", "flavor", "image", "page"]


def flavor(name: str, vcpus: int, ram: int, disk: int) -> Thing:
    return {"id": f"f-{name}", "name": name, "vcpus": vcpus, "ram": ram, "disk": disk}


def image(name: str, **more: Any) -> Thing:
    return {"id": f"i-{name}", "name": name, "status": "active", "min_disk": 10, "min_ram": 512, **more}


@dataclass
class Resources(Networks):
    """``build_looks``, ``delete_looks``: after how many looks a server is built or gone.

    ``fault`` makes servers fail with that sentence ("": without one) instead of being built.
    """

    build_looks: int = 1
    delete_looks: int = 1
    fault: str | None = None
    console: str = "cloud-init: done\n"
    flavors: list[Thing] = field(
        default_factory=lambda: [flavor("m1.small", 1, 512, 10), flavor("m1.huge", 8, 16384, 80)]
    )
    images: list[Thing] = field(
        default_factory=lambda: [image("base_debian_12", os_distro="debian"), image("base_ubuntu_16.04")]
    )
    keys: dict[str, Thing] = field(default_factory=dict)
    volumes: dict[str, Thing] = field(default_factory=dict)

    def answer(self, service: str, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
        for pattern, handler in self._routes():
            if found := re.fullmatch(pattern, f"{service} {method} {path.rstrip('/')}"):
                return handler(self, *found.groups(), **({"query": query} if method == "GET" else {"body": body}))
        return Answer(404, "<html><body>404 Not Found</body></html>", "text/html")

    def holds(self) -> dict[str, int]:
        """How many of each kind there are, to compare before and after."""
        kinds = ("servers", "ports", "ips", "groups", "keys", "volumes")
        return {kind: len(getattr(self, kind)) for kind in kinds}

    # Nova

    def add_server(self, name: str = "web", status: str = "ACTIVE", **more: Any) -> Thing:
        """A server that somebody made."""
        server = self._new_server(name, more.pop("flavor", self.flavors[0]["id"]))
        server.update(status=status, looks=0, **more)
        self.servers[server["id"]] = server
        if status == "ACTIVE":
            self._port(server)
        return server

    def _new_server(self, name: str, flavor_id: str) -> Thing:
        return {
            "id": str(uuid4()),
            "name": name,
            "status": "BUILD",
            "OS-EXT-STS:task_state": None,
            "addresses": {},
            "metadata": {},
            "image": "",
            "flavor": {"id": flavor_id},
            "os-extended-volumes:volumes_attached": [],
            "created": f"2026-11-22T16:{len(self.servers):02d}:00Z",
            "looks": 0,
            "groups": [],
        }

    def list_servers(self, query: dict[str, str]) -> Answer:
        self._look()
        return page(200, {"servers": [_shown(server) for server in self.servers.values()]})

    def get_server(self, server_id: str, query: dict[str, str]) -> Answer:
        self._look()
        if server_id not in self.servers:
            return nova("itemNotFound", 404, f"Instance {server_id} could not be found.")
        return page(200, {"server": _shown(self.servers[server_id])})

    def _look(self) -> None:
        for server in list(self.servers.values()):
            server["looks"] += 1
            if server["OS-EXT-STS:task_state"] == "deleting":
                if server["looks"] > self.delete_looks:
                    self._gone(server["id"])
            elif server["status"] == "BUILD" and server["looks"] >= self.build_looks:
                self._built(server)

    def _built(self, server: Thing) -> None:
        if self.fault is not None:
            server["status"] = "ERROR"
            server["fault"] = {"code": 500, "message": self.fault} if self.fault else None
            return
        server["status"] = "ACTIVE"
        server["OS-EXT-STS:task_state"] = None
        port = self._port(server)
        address = {"version": 4, "addr": port["fixed_ips"][0]["ip_address"], "OS-EXT-IPS:type": "fixed"}
        server["addresses"] = {"node-int-net-01": [address]}
        for disk in server.get("asked", {}).get("block_device_mapping_v2", []):
            volume = self.add_volume("", status="in-use", size=disk["volume_size"])
            kept = {"id": volume["id"], "delete_on_termination": disk["delete_on_termination"]}
            server["os-extended-volumes:volumes_attached"].append(kept)

    def _gone(self, server_id: str) -> None:
        self.order.append("server")
        for volume in self.servers.pop(server_id)["os-extended-volumes:volumes_attached"]:
            if volume["delete_on_termination"]:
                del self.volumes[volume["id"]]
        for port in [port for port in self.ports.values() if port["device_id"] == server_id]:
            del self.ports[port["id"]]
            for ip in self.ips.values():
                if ip["port_id"] == port["id"]:
                    ip.update(port_id=None, fixed_ip_address=None)

    def create_server(self, body: Any) -> Answer:
        asked = body["server"]
        if (refused := self._refused(asked)) is not None:
            return refused
        server = self._new_server(asked["name"], asked["flavorRef"])
        server["OS-EXT-STS:task_state"] = "scheduling"
        server["metadata"] = asked.get("metadata", {})
        server["groups"] = [group["name"] for group in asked.get("security_groups", [])]
        server["image"] = {"id": asked["imageRef"]} if "imageRef" in asked else ""
        server["asked"] = asked
        self.servers[server["id"]] = server
        groups = [{"name": name} for name in server["groups"]]
        return page(
            202, {"server": {"id": server["id"], "links": [], "security_groups": groups, "adminPass": "sfi55L"}}
        )

    def _refused(self, asked: Any) -> Answer | None:
        chosen = next((one for one in self.flavors if one["id"] == asked["flavorRef"]), None)
        if chosen is None:
            return bad(f"Flavor {asked['flavorRef']} could not be found.")
        if "imageRef" in asked and asked["imageRef"] not in {one["id"] for one in self.images}:
            return SERVER["image gone"]
        try:
            base64.b64decode(asked.get("user_data", ""), validate=True)
        except binascii.Error:
            return SERVER["user data no base64"]
        if asked.get("key_name", "") not in {"", *self.keys}:
            return SERVER["key pair gone"]
        if any(one["uuid"] not in {each["id"] for each in self.networks} for one in asked["networks"]):
            return SERVER["network gone"]
        used = len(self.servers)
        if used + 1 > self.quota["instances"]:
            limit = self.quota["instances"]
            message = f"Quota exceeded for instances: Requested 1, but already used {used} of {limit} instances"
            return nova("forbidden", 403, message)
        return None

    def delete_server(self, server_id: str, body: Any) -> Answer:
        if server_id not in self.servers:
            return nova("itemNotFound", 404, f"Instance {server_id} could not be found.")
        server = self.servers[server_id]
        if server["OS-EXT-STS:task_state"] != "deleting":
            server.update({"OS-EXT-STS:task_state": "deleting", "looks": 0})
        return EMPTY

    def act(self, server_id: str, body: Any) -> Answer:
        server = self.servers.get(server_id)
        if server is None:
            return nova("itemNotFound", 404, f"Instance {server_id} could not be found.")
        if "os-getConsoleOutput" in body:
            return page(200, {"output": self.console})
        if server["status"] == "ACTIVE":
            message = f"Cannot 'start' instance {server_id} while it is in vm_state active"
            return nova("conflictingRequest", 409, message)
        server.update(status="ACTIVE")
        return Answer(202, "")

    def list_flavors(self, query: dict[str, str]) -> Answer:
        return page(200, {"flavors": self.flavors})

    def list_zones(self, query: dict[str, str]) -> Answer:
        zones = [
            {"zoneName": name, "zoneState": {"available": name == "nova"}, "hosts": None} for name in ("nova", "x")
        ]
        return page(200, {"availabilityZoneInfo": zones})

    def limits(self, query: dict[str, str]) -> Answer:
        flavors = {one["id"]: one for one in self.flavors}
        used = [flavors[server["flavor"]["id"]] for server in self.servers.values()]
        absolute = {
            "maxTotalInstances": self.quota["instances"],
            "totalInstancesUsed": len(used),
            "maxTotalCores": self.quota["cores"],
            "totalCoresUsed": sum(one["vcpus"] for one in used),
            "maxTotalRAMSize": self.quota["ram"],
            "totalRAMUsed": sum(one["ram"] for one in used),
        }
        return page(200, {"limits": {"rate": [], "absolute": absolute}})

    def list_keys(self, query: dict[str, str]) -> Answer:
        return page(200, {"keypairs": [{"keypair": key} for key in self.keys.values()]})

    def get_key(self, name: str, query: dict[str, str]) -> Answer:
        found = self.keys.get(name)
        gone = nova("itemNotFound", 404, f"Keypair {name} not found for user u-ann")
        return page(200, {"keypair": found}) if found else gone

    def create_key(self, body: Any) -> Answer:
        asked = body["keypair"]
        if asked["name"] in self.keys:
            return KEY_PAIR_EXISTS
        self.keys[asked["name"]] = {"name": asked["name"], "public_key": asked["public_key"], "fingerprint": "ab:cd"}
        return page(201, {"keypair": self.keys[asked["name"]]})

    def delete_key(self, name: str, body: Any) -> Answer:
        self.order.append("key")
        found = self.keys.pop(name, None)
        return EMPTY if found else nova("itemNotFound", 404, f"Keypair {name} not found for user u-ann")

    # Glance and Cinder

    def list_images(self, query: dict[str, str]) -> Answer:
        wanted = query.get("status")
        return page(200, {"images": [one for one in self.images if wanted in (None, one["status"])]})

    def add_volume(self, name: str, **more: Any) -> Thing:
        volume = {"id": str(uuid4()), "name": name, "status": "available", "metadata": {}, "attachments": [], **more}
        return self.volumes.setdefault(volume["id"], volume)

    def list_volumes(self, query: dict[str, str]) -> Answer:
        return page(200, {"volumes": list(self.volumes.values())})

    def get_volume(self, volume_id: str, query: dict[str, str]) -> Answer:
        """One that is being deleted is gone at the second look."""
        found = self.volumes.get(volume_id)
        if found is None:
            return nova("itemNotFound", 404, f"Volume {volume_id} could not be found.")
        if found["status"] == "deleting" and found.setdefault("looks", 0) >= self.delete_looks:
            del self.volumes[volume_id]
        found["looks"] = found.get("looks", 0) + 1
        return page(200, {"volume": found})

    def delete_volume(self, volume_id: str, body: Any) -> Answer:
        found = self.volumes.get(volume_id)
        if found is None:
            return nova("itemNotFound", 404, f"Volume {volume_id} could not be found.")
        if found["status"] in ("in-use", "deleting"):
            message = "Invalid volume: Volume status must be available or error or error_restoring or error_extending"
            return bad(message)
        found.update(status="deleting", looks=0)
        self.order.append("volume")
        return Answer(202, "")

    def mark_volume(self, volume_id: str, body: Any) -> Answer:
        if volume_id not in self.volumes:
            return nova("itemNotFound", 404, f"Volume {volume_id} could not be found.")
        self.volumes[volume_id]["metadata"] |= body["metadata"]
        return page(200, {"metadata": self.volumes[volume_id]["metadata"]})

    def volume_limits(self) -> Answer:
        absolute = {
            "maxTotalVolumes": self.quota["volumes"],
            "totalVolumesUsed": len(self.volumes),
            "maxTotalVolumeGigabytes": self.quota["gigabytes"],
            "totalGigabytesUsed": sum(volume.get("size", 1) for volume in self.volumes.values()),
        }
        return page(200, {"limits": {"rate": [], "absolute": absolute}})

    @staticmethod
    def _routes() -> list[tuple[str, Callable[..., Answer]]]:
        return ROUTES


def _shown(server: Thing) -> Thing:
    return {key: value for key, value in server.items() if key not in ("looks", "groups", "asked")}


ROUTES: list[tuple[str, Callable[..., Answer]]] = [
    *NETWORK_ROUTES,
    ("compute GET v2.1/servers/detail", Resources.list_servers),
    (f"compute GET v2.1/servers/{ID}", Resources.get_server),
    ("compute POST v2.1/servers", Resources.create_server),
    (f"compute DELETE v2.1/servers/{ID}", Resources.delete_server),
    (f"compute POST v2.1/servers/{ID}/action", Resources.act),
    ("compute GET v2.1/flavors/detail", Resources.list_flavors),
    ("compute GET v2.1/os-availability-zone", Resources.list_zones),
    ("compute GET v2.1/limits", Resources.limits),
    ("compute GET v2.1/os-keypairs", Resources.list_keys),
    ("compute POST v2.1/os-keypairs", Resources.create_key),
    (f"compute GET v2.1/os-keypairs/{ID}", Resources.get_key),
    (f"compute DELETE v2.1/os-keypairs/{ID}", Resources.delete_key),
    ("image GET v2/images", Resources.list_images),
    (f"volume GET v3/{ID}/volumes/detail", lambda self, _, query: self.list_volumes(query)),
    (f"volume GET v3/{ID}/volumes/{ID}", lambda self, _, volume, query: self.get_volume(volume, query)),
    (f"volume GET v3/{ID}/limits", lambda self, _, query: self.volume_limits()),
    (f"volume POST v3/{ID}/volumes/{ID}/metadata", lambda self, _, volume, body: self.mark_volume(volume, body)),
    (f"volume DELETE v3/{ID}/volumes/{ID}", lambda self, _, volume, body: self.delete_volume(volume, body)),
]
