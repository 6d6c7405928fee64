"""What the fake OpenStack's Neutron holds: networks, ports, floating IPs, security groups; and how it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from openstack_samples import JSON, RULE_EXISTS, Answer, neutron

Thing = dict[str, Any]
EMPTY = Answer(204, "")
INTERNAL, EXTERNAL = "426091c0-node-int-net-01", "8a5606d5-public-ext-net-01"


def page(status: int, body: object) -> Answer:
    return Answer(status, json.dumps(body), JSON)


def network(id: str, name: str, external: bool, mtu: int) -> Thing:
    return {"id": id, "name": name, "router:external": external, "mtu": mtu, "status": "ACTIVE", "subnets": []}


@dataclass
class Networks:
    """``port_looks``: after how many looks the port of a server is there. ``servers`` are Nova's."""

    project: str = "4e3ca084c5ad4cb09ee607b3cbed9b7a"
    port_looks: int = 0
    quota: dict[str, int] = field(
        default_factory=lambda: {
            "instances": 5, "cores": 10, "ram": 20480, "floatingip": 3, "security_group": 10, "volumes": 10,
            "gigabytes": 100,
        }
    )  # fmt: skip
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
    order: list[str] = field(default_factory=list)  # of deletions that were done

    def _port(self, server: Thing) -> Thing:
        for port in self.ports.values():
            if port["device_id"] == server["id"]:
                return port
        fixed = {"subnet_id": "s", "ip_address": f"10.89.4.{len(self.ports) + 33}"}
        made = {"id": str(uuid4()), "device_id": server["id"], "status": "ACTIVE", "fixed_ips": [fixed]}
        told = {"name": "", "description": "", "network_id": INTERNAL, "project_id": self.project}
        return self.ports.setdefault(made["id"], {**made, **told, "looks": 0})

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


def _letting_in(rule: Thing) -> Thing:
    """What makes a rule another one: not what it is called."""
    names = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_group_id")
    everybody = rule["remote_ip_prefix"] in (None, "0.0.0.0/0")
    return {**{name: rule[name] for name in names}, "from": None if everybody else rule["remote_ip_prefix"]}


ID = "([^/]+)"
NETWORK_ROUTES: list[tuple[str, Callable[..., Answer]]] = [
    ("network GET v2.0/networks", Networks.list_networks),
    (f"network GET v2.0/networks/{ID}", Networks.get_network),
    ("network GET v2.0/ports", Networks.list_ports),
    (f"network GET v2.0/ports/{ID}", Networks.get_port),
    (f"network DELETE v2.0/ports/{ID}", Networks.delete_port),
    (f"network PUT v2.0/ports/{ID}", Networks.update_port),
    ("network GET v2.0/floatingips", Networks.list_ips),
    ("network POST v2.0/floatingips", Networks.create_ip),
    (f"network GET v2.0/floatingips/{ID}", Networks.get_ip),
    (f"network PUT v2.0/floatingips/{ID}", Networks.update_ip),
    (f"network DELETE v2.0/floatingips/{ID}", Networks.delete_ip),
    ("network GET v2.0/security-groups", Networks.list_groups),
    ("network POST v2.0/security-groups", Networks.create_group),
    (f"network GET v2.0/security-groups/{ID}", Networks.get_group),
    (f"network DELETE v2.0/security-groups/{ID}", Networks.delete_group),
    ("network POST v2.0/security-group-rules", Networks.create_rule),
    (f"network DELETE v2.0/security-group-rules/{ID}", Networks.delete_rule),
    (f"network GET v2.0/quotas/{ID}/details", Networks.quota_details),
]
