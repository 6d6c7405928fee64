"""What the fake OpenStack holds: servers, networks, addresses, groups, keys; and how it answers for them."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from openstack_samples import JSON, KEY_PAIR_EXISTS, RULE_EXISTS, SERVER, Answer, bad, neutron, nova

Thing = dict[str, Any]
EMPTY = Answer(204, "")
INTERNAL, EXTERNAL = "426091c0-node-int-net-01", "8a5606d5-public-ext-net-01"


def page(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body), JSON)


def flavor(name: str, vcpus: int, ram: int, disk: int) -> Thing:
    return {"id": f"f-{name}", "name": name, "vcpus": vcpus, "ram": ram, "disk": disk}


def image(name: str, **more: Any) -> Thing:
    return {"id": f"i-{name}", "name": name, "status": "active", "min_disk": 10, "min_ram": 512, **more}


def network(id: str, name: str, external: bool, mtu: int) -> Thing:
    return {"id": id, "name": name, "router:external": external, "mtu": mtu, "status": "ACTIVE", "subnets": []}


@dataclass
class Resources:
    """``build_looks``, ``delete_looks``, ``port_looks``: after how many looks a server is built or gone, a port there.

    ``fault`` makes servers fail with that sentence ("": without one) instead of being built.
    """

    project: str = "4e3ca084c5ad4cb09ee607b3cbed9b7a"
    build_looks: int = 1
    delete_looks: int = 1
    port_looks: int = 0
    fault: str | None = None
    console: str = "cloud-init: done\n"
    quota: dict[str, int] = field(
        default_factory=lambda: {
            "instances": 5, "cores": 10, "ram": 20480, "floatingip": 3, "security_group": 10, "volumes": 10,
            "gigabytes": 100,
        }
    )  # fmt: skip
    flavors: list[Thing] = field(
        default_factory=lambda: [flavor("m1.small", 1, 512, 10), flavor("m1.huge", 8, 16384, 80)]
    )
    images: list[Thing] = field(
        default_factory=lambda: [image("base_debian_12", os_distro="debian"), image("base_ubuntu_16.04")]
    )
    networks: list[Thing] = field(
        default_factory=lambda: [
            network(INTERNAL, "node-int-net-01", False, 1400),
            network(EXTERNAL, "public-ext-net-01", True, 1500),
        ]
    )
    servers: dict[str, Thing] = field(default_factory=dict)
    ports: dict[str, Thing] = field(default_factory=dict)
    ips: dict[str, Thing] = field(default_factory=dict)
    groups: dict[str, Thing] = field(default_factory=dict)
    keys: dict[str, Thing] = field(default_factory=dict)
    volumes: dict[str, Thing] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)  # of deletions that were done

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

    def _port(self, server: Thing) -> Thing:
        for port in self.ports.values():
            if port["device_id"] == server["id"]:
                return port
        fixed = {"subnet_id": "s", "ip_address": f"10.89.4.{len(self.ports) + 33}"}
        made = {"id": str(uuid4()), "device_id": server["id"], "status": "ACTIVE", "fixed_ips": [fixed]}
        told = {"name": "", "description": "", "network_id": INTERNAL, "project_id": self.project}
        return self.ports.setdefault(made["id"], {**made, **told, "looks": 0})

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

    # Neutron

    def list_networks(self, query: dict[str, str]) -> Answer:
        external = query.get("router:external")
        found = [one for one in self.networks if external is None or str(one["router:external"]) == external]
        return page(200, {"networks": found})

    def get_network(self, network_id: str, query: dict[str, str]) -> Answer:
        found = next((one for one in self.networks if one["id"] == network_id), None)
        gone = neutron(404, "NetworkNotFound", f"Network {network_id} could not be found.")
        return page(200, {"network": found}) if found else gone

    def list_ports(self, query: dict[str, str]) -> Answer:
        for server in self.servers.values():
            if server["status"] == "ACTIVE":
                self._port(server)["looks"] += 1
        wanted = query.get("device_id")
        found = [
            self._shown_port(port)
            for port in self.ports.values()
            if wanted in (None, port["device_id"]) and port["looks"] > self.port_looks
        ]
        return page(200, {"ports": found})

    def _shown_port(self, port: Thing) -> Thing:
        """With the security groups of its server."""
        groups = self.servers.get(port["device_id"], {}).get("groups", [])
        return {"security_groups": groups, **{key: value for key, value in port.items() if key != "looks"}}

    def add_port(self, description: str = "", device_id: str = "") -> Thing:
        """A port that somebody made, or that outlived its server."""
        fixed = {"subnet_id": "s", "ip_address": f"10.89.4.{len(self.ports) + 133}"}
        port = {"id": str(uuid4()), "device_id": device_id, "status": "DOWN", "fixed_ips": [fixed], "name": ""}
        more = {"network_id": INTERNAL, "description": description, "project_id": self.project, "looks": 1}
        return self.ports.setdefault(str(port["id"]), {**port, **more})

    def get_port(self, port_id: str, query: dict[str, str]) -> Answer:
        found = self.ports.get(port_id)
        gone = neutron(404, "PortNotFound", f"Port {port_id} could not be found.")
        return page(200, {"port": self._shown_port(found)}) if found else gone

    def delete_port(self, port_id: str, body: Any) -> Answer:
        if self.ports.pop(port_id, None) is None:
            return neutron(404, "PortNotFound", f"Port {port_id} could not be found.")
        self.order.append("port")
        return EMPTY

    def update_port(self, port_id: str, body: Any) -> Answer:
        if port_id not in self.ports:
            return neutron(404, "PortNotFound", f"Port {port_id} could not be found.")
        self.ports[port_id].update(body["port"])
        return page(200, {"port": self.ports[port_id]})

    def add_ip(self, description: str = "", port_id: str | None = None) -> Thing:
        address = f"10.89.1.{100 + len(self.ips)}"
        ip = {
            "id": str(uuid4()),
            "floating_ip_address": address,
            "floating_network_id": EXTERNAL,
            "port_id": port_id,
            "fixed_ip_address": None,
            "status": "DOWN",
            "description": description,
            "project_id": self.project,
            "created_at": f"2026-11-22T16:{len(self.ips):02d}:00Z",
        }
        return self.ips.setdefault(str(ip["id"]), ip)

    def list_ips(self, query: dict[str, str]) -> Answer:
        return page(200, {"floatingips": list(self.ips.values())})

    def get_ip(self, ip_id: str, query: dict[str, str]) -> Answer:
        found = self.ips.get(ip_id)
        gone = neutron(404, "FloatingIPNotFound", f"Floating IP {ip_id} could not be found")
        return page(200, {"floatingip": found}) if found else gone

    def create_ip(self, body: Any) -> Answer:
        if len(self.ips) >= self.quota["floatingip"]:
            return neutron(409, "OverQuota", "Quota exceeded for resources: ['floatingip'].")
        return page(201, {"floatingip": self.add_ip(body["floatingip"].get("description", ""))})

    def update_ip(self, ip_id: str, body: Any) -> Answer:
        port_id, ip = body["floatingip"]["port_id"], self.ips.get(ip_id)
        if ip is None:
            return neutron(404, "FloatingIPNotFound", f"Floating IP {ip_id} could not be found")
        if port_id not in self.ports:
            return neutron(404, "PortNotFound", f"Port {port_id} could not be found.")
        if any(one["port_id"] == port_id and one is not ip for one in self.ips.values()):
            message = f"Cannot associate floating IP {ip_id} with port {port_id} using fixed IP 10.89.4.33, "
            message += f"as that fixed IP already has a floating IP on external network {EXTERNAL}."
            return neutron(409, "FloatingIPPortAlreadyAssociated", message)
        ip["port_id"] = port_id
        return page(200, {"floatingip": ip})

    def delete_ip(self, ip_id: str, body: Any) -> Answer:
        if self.ips.pop(ip_id, None) is None:
            return neutron(404, "FloatingIPNotFound", f"Floating IP {ip_id} could not be found")
        self.order.append("ip")
        return EMPTY

    def add_group(self, name: str, description: str = "") -> Thing:
        egress = {"id": str(uuid4()), "direction": "egress", "ethertype": "IPv4", "protocol": None}
        empty = {"port_range_min": None, "port_range_max": None, "remote_ip_prefix": None, "remote_group_id": None}
        group = {"id": str(uuid4()), "name": name, "description": description, "project_id": self.project}
        group["created_at"] = f"2026-11-22T16:{len(self.groups):02d}:00Z"
        return self.groups.setdefault(str(group["id"]), {**group, "security_group_rules": [{**egress, **empty}]})

    def list_groups(self, query: dict[str, str]) -> Answer:
        return page(200, {"security_groups": list(self.groups.values())})

    def get_group(self, group_id: str, query: dict[str, str]) -> Answer:
        found = self.groups.get(group_id)
        gone = neutron(404, "SecurityGroupNotFound", f"Security group {group_id} does not exist")
        return page(200, {"security_group": found}) if found else gone

    def create_group(self, body: Any) -> Answer:
        if len(self.groups) >= self.quota["security_group"]:
            return neutron(409, "OverQuota", "Quota exceeded for resources: ['security_group'].")
        asked = body["security_group"]
        return page(201, {"security_group": self.add_group(asked["name"], asked.get("description", ""))})

    def delete_group(self, group_id: str, body: Any) -> Answer:
        if group_id not in self.groups:
            return neutron(404, "SecurityGroupNotFound", f"Security group {group_id} does not exist")
        if any(group_id in server["groups"] for server in self.servers.values()):
            return neutron(409, "SecurityGroupInUse", f"Security Group {group_id} in use.")
        del self.groups[group_id]
        self.order.append("group")
        return EMPTY

    def create_rule(self, body: Any) -> Answer:
        asked = body["security_group_rule"]
        rule = {"remote_ip_prefix": None, "remote_group_id": None, "description": "", **asked}
        rules = self.groups[asked["security_group_id"]]["security_group_rules"]
        if any(_letting_in(one) == _letting_in(rule) for one in rules):
            return RULE_EXISTS
        rules.append({**rule, "id": str(uuid4())})
        return page(201, {"security_group_rule": rules[-1]})

    def add_rule(self, group: Thing, port: int, source: str | None = "0.0.0.0/0", **more: Any) -> Thing:
        """A rule that somebody made by hand."""
        rule = {"id": str(uuid4()), "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "description": ""}
        ports = {"port_range_min": port, "port_range_max": port, "remote_ip_prefix": source, "remote_group_id": None}
        group["security_group_rules"].append({**rule, **ports, **more})
        return dict(group["security_group_rules"][-1])

    def delete_rule(self, rule_id: str, body: Any) -> Answer:
        for group in self.groups.values():
            group["security_group_rules"] = [one for one in group["security_group_rules"] if one["id"] != rule_id]
        return EMPTY

    def quota_details(self, project: str, query: dict[str, str]) -> Answer:
        used = {"floatingip": len(self.ips), "security_group": len(self.groups)}
        details = {name: {"limit": self.quota[name], "used": number, "reserved": 0} for name, number in used.items()}
        return page(200, {"quota": details})

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


def _letting_in(rule: Thing) -> Thing:
    """What makes a rule another one: not what it is called."""
    names = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_group_id")
    everybody = rule["remote_ip_prefix"] in (None, "0.0.0.0/0")
    return {**{name: rule[name] for name in names}, "from": None if everybody else rule["remote_ip_prefix"]}


def _shown(server: Thing) -> Thing:
    return {key: value for key, value in server.items() if key not in ("looks", "groups", "asked")}


ID = "([^/]+)"
ROUTES: list[tuple[str, Callable[..., Answer]]] = [
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
    ("network GET v2.0/networks", Resources.list_networks),
    (f"network GET v2.0/networks/{ID}", Resources.get_network),
    ("network GET v2.0/ports", Resources.list_ports),
    (f"network GET v2.0/ports/{ID}", Resources.get_port),
    (f"network DELETE v2.0/ports/{ID}", Resources.delete_port),
    (f"network PUT v2.0/ports/{ID}", Resources.update_port),
    ("network GET v2.0/floatingips", Resources.list_ips),
    ("network POST v2.0/floatingips", Resources.create_ip),
    (f"network GET v2.0/floatingips/{ID}", Resources.get_ip),
    (f"network PUT v2.0/floatingips/{ID}", Resources.update_ip),
    (f"network DELETE v2.0/floatingips/{ID}", Resources.delete_ip),
    ("network GET v2.0/security-groups", Resources.list_groups),
    ("network POST v2.0/security-groups", Resources.create_group),
    (f"network GET v2.0/security-groups/{ID}", Resources.get_group),
    (f"network DELETE v2.0/security-groups/{ID}", Resources.delete_group),
    ("network POST v2.0/security-group-rules", Resources.create_rule),
    (f"network DELETE v2.0/security-group-rules/{ID}", Resources.delete_rule),
    (f"network GET v2.0/quotas/{ID}/details", Resources.quota_details),
    ("image GET v2/images", Resources.list_images),
    (f"volume GET v3/{ID}/volumes/detail", lambda self, _, query: self.list_volumes(query)),
    (f"volume GET v3/{ID}/volumes/{ID}", lambda self, _, volume, query: self.get_volume(volume, query)),
    (f"volume GET v3/{ID}/limits", lambda self, _, query: self.volume_limits()),
    (f"volume POST v3/{ID}/volumes/{ID}/metadata", lambda self, _, volume, body: self.mark_volume(volume, body)),
    (f"volume DELETE v3/{ID}/volumes/{ID}", lambda self, _, volume, body: self.delete_volume(volume, body)),
]
