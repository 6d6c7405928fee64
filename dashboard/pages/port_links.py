"""Where a stack's published ports answer, to be opened from its page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from dashboard.flows.ports import outside
from dashboard.models import Environment, Host, HostState
from platform_manager.swarm import ports
from platform_manager.swarm.snapshot import Service, Task

from .places import may_run

MOST = 20
# Programs that listen here inside speak HTTPS.
SECURE = (443, 8443, 9443)


class PortLink(NamedTuple):
    """``url`` is "" where nothing in the browser opens it, or no host answers."""

    words: str
    url: str


def port_links(environment: Environment, services: Iterable[Service], tasks: Sequence[Task]) -> tuple[PortLink, ...]:
    """Each published port once, at a host that answers: one with a task of it where only those listen."""
    services = [service for service in services if service.ports]
    if not services:
        return ()
    hosts = list(environment.hosts.filter(state=HostState.ACTIVE).exclude(node_id="").order_by("name"))
    hosts.sort(key=lambda host: not _outside(host))
    at = {host.node_id: found for host in hosts if (found := address(host))}
    links = {words: _url(words, service, at, tasks) for service in services for words in service.ports}
    return tuple(PortLink(words, links[words]) for words in sorted(links))[:MOST]


def address(host: Host) -> str:
    """Where a browser is most likely to reach the host; hosts tell addresses, and are not trusted to tell good ones."""
    for told in (*_outside(host), *host.addresses[:1]):
        try:
            found = ip_address(str(told))
        except ValueError:
            continue
        return f"[{found}]" if found.version == 6 else str(found)
    return ""


def _outside(host: Host) -> list[str]:
    """A machine of no cloud tells addresses of its own networks alone."""
    return outside(host) if host.account_id else []


def _url(words: str, service: Service, at: Mapping[str, str], tasks: Iterable[Task]) -> str:
    port = ports.read(words)
    if port is None or port.protocol != "tcp":
        return ""
    running = (task.node_id for task in tasks if task.service_id == service.id and may_run(task))
    place = next((at[node] for node in (running if port.host else at) if node in at), "")
    scheme = "https" if port.target in SECURE else "http"
    return f"{scheme}://{place}:{port.port}" if place else ""
