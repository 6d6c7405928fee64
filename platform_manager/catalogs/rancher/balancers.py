"""Load balancers of Rancher: where each port leads to one plain service, the swarm publishes that service's port."""

import re
from dataclasses import dataclass
from typing import Any

from platform_manager.catalogs.rancher.draft import Blocked, Draft, Service, parts
from platform_manager.catalogs.rancher.trees import mapping, plain, texts

_IMAGES = re.compile(r"(?:^|/)rancher/(?:load-balancer-service|lb-service-haproxy)(?::|$)")
_TARGET = "io.rancher.loadbalancer.target."
_PLAIN_PROTOCOLS = ("", "tcp", "http", "udp")


@dataclass(frozen=True)
class Rule:
    """``published`` is "" for a port that only services of the stack reach."""

    published: str
    service: str
    target: str
    protocol: str


def is_balancer(service: Service) -> bool:
    return bool(_IMAGES.search(service.image))


def settle(draft: Draft) -> None:
    """Raises :class:`Blocked` for a load balancer that does more than hand on ports."""
    for balancer in [service for service in draft.services.values() if is_balancer(service)]:
        rules = _rules(draft, balancer)
        del draft.services[balancer.name]
        for rule in rules:
            _publish(draft, balancer, rule)
        draft.gone.add(balancer.name)
        targets = {rule.service for rule in rules}
        if len(targets) == 1:
            draft.stood_in[balancer.name] = targets


def _refuse(balancer: Service, reason: str) -> Blocked:
    return Blocked(
        f"The load balancer '{balancer.name}' {reason}, which the published ports of a swarm can't do. "
        "Deploy a reverse proxy such as Traefik instead."
    )


def _rules(draft: Draft, balancer: Service) -> list[Rule]:
    config = mapping({"lb": balancer.extras.get("lb_config") or balancer.extras.get("load_balancer_config")})["lb"]
    if texts(config.get("certs")) or draft.resolved(config.get("default_cert")):
        raise _refuse(balancer, "ends TLS (certs)")
    for name in balancer.labels:
        if name.startswith("io.rancher.loadbalancer.") and not name.startswith(_TARGET):
            raise _refuse(balancer, f"does more than hand on requests (label {name})")
    listed = config.get("port_rules")
    rules = [rule for rule in listed if isinstance(rule, dict)] if isinstance(listed, list) else []
    found = [_from_port_rule(draft, balancer, rule) for rule in rules] if rules else _from_links(draft, balancer)
    if not found:
        raise Blocked(f"The load balancer '{balancer.name}' leads nowhere: the recipe names no target for its ports.")
    sources: dict[str, str] = {}
    for rule in found:
        mark = draft.resolved(rule.published)
        if mark and sources.setdefault(mark, rule.service) != rule.service:
            raise _refuse(balancer, f"leads port {mark} to '{sources[mark]}' and to '{rule.service}'")
    return found


def _from_port_rule(draft: Draft, balancer: Service, rule: dict[str, Any]) -> Rule:
    for key in ("hostname", "path", "selector"):
        if draft.resolved(rule.get(key)):
            raise _refuse(balancer, f"chooses services by {key} ({plain(rule[key])})")
    protocol = draft.resolved(rule.get("protocol")).lower()
    if protocol not in _PLAIN_PROTOCOLS:
        raise _refuse(balancer, f"speaks {protocol}")
    name = draft.resolved(rule.get("service"))
    _check_target(draft, balancer, name)
    source = plain(rule.get("source_port"))
    return Rule(_published(draft, balancer, source), name, plain(rule.get("target_port")) or source, protocol)


def _published(draft: Draft, balancer: Service, source: str) -> str:
    """The port of the hosts that leads to this one of the load balancer's own."""
    wanted = draft.resolved(source)
    return next((host for host, inside in _ports(balancer) if draft.resolved(inside) == wanted), "")


def _from_target_labels(draft: Draft, balancer: Service) -> list[Rule]:
    """``io.rancher.loadbalancer.target.<service>: [host][:port][/path]=port`` where no host and no path is given."""
    rules = []
    for label, value in balancer.labels.items():
        if not label.startswith(_TARGET):
            continue
        name = label.removeprefix(_TARGET)
        _check_target(draft, balancer, name)
        for entry in value.split(","):
            source, _, target = (part.strip() for part in entry.partition("="))
            if not draft.resolved(source).removeprefix(":").isdecimal() or not target:
                raise _refuse(balancer, f"chooses services by host name or path ({entry.strip()[:60]})")
            rules.append(Rule(_published(draft, balancer, source.removeprefix(":")), name, target, "tcp"))
    return rules


def _from_links(draft: Draft, balancer: Service) -> list[Rule]:
    if rules := _from_target_labels(draft, balancer):
        return rules
    links = [parts(draft.resolved(link))[0] for link in _links(balancer)]
    if len(set(links)) > 1:
        raise _refuse(balancer, f"shares its ports out among '{links[0]}' and '{links[1]}'")
    if not links:
        return []
    _check_target(draft, balancer, links[0])
    inside = [parts(entry.partition("/")[0]) for entry in texts(balancer.source.get("expose"))]
    return [
        *(Rule(host, links[0], target, "tcp") for host, target in _ports(balancer)),
        *(Rule("", links[0], cut[-1], "tcp") for cut in inside),
    ]


def _links(balancer: Service) -> list[str]:
    links = balancer.source.get("links")
    if isinstance(links, dict):
        return [f"{plain(target) or alias}:{alias}" for alias, target in links.items()]
    return texts(links)


def _check_target(draft: Draft, balancer: Service, name: str) -> None:
    target = draft.services.get(name)
    if target is None or target is balancer:
        where = f"leads to '{name}', which is no service of the recipe" if name else "names no service for a port"
        raise Blocked(f"The load balancer '{balancer.name}' {where}. Deploy a reverse proxy such as Traefik instead.")
    if is_balancer(target):
        raise _refuse(balancer, f"leads to another load balancer, '{name}'")
    if draft.resolved(target.source.get("net") or target.source.get("network_mode")) == "host":
        raise _refuse(balancer, f"leads to '{name}' on the network of its host")


def _ports(balancer: Service) -> list[tuple[str, str]]:
    """(published, inside) of each port of the load balancer."""
    found = []
    for entry in texts(balancer.source.get("ports")):
        cut = parts(re.sub(r"/\w+$", "", entry))
        found.append((cut[-2] if len(cut) > 1 else cut[-1], cut[-1]))
    return found


def _publish(draft: Draft, balancer: Service, rule: Rule) -> None:
    why = "the swarm hands requests on itself, without HTTP headers such as X-Forwarded-For"
    if not rule.published:
        draft.tell(f"The load balancer '{balancer.name}' became the service '{rule.service}' itself", why)
        return
    service = draft.services[rule.service]
    entry = f"{rule.published}:{rule.target}{'/udp' if rule.protocol == 'udp' else ''}"
    ports = texts(service.source.get("ports"))
    if entry not in ports:
        service.source["ports"] = [*ports, entry]
    draft.tell(f"The load balancer '{balancer.name}' became the published port {entry} of '{rule.service}'", why)
