"""Links: on a swarm all services of a stack find each other by name, so a link's alias becomes a further name."""

import re

from platform_manager.catalogs.rancher.draft import Blocked, Draft, Service, parts
from platform_manager.catalogs.rancher.trees import texts

_DNS_IMAGES = re.compile(r"(?:^|/)rancher/dns-service(?::|$)")
_PRIVATE_NETWORKS = ("", "bridge", "default", "managed", "ipsec", "vxlan")


def keep_inside(draft: Draft) -> None:
    """External links to services of the same file are links like any other."""
    for service in draft.services.values():
        outside = texts(service.source.get("external_links"))
        inside = [link for link in outside if parts(draft.resolved(link))[0] in draft.services]
        if inside and not isinstance(service.source.get("links"), dict):
            service.source["external_links"] = [link for link in outside if link not in inside]
            service.source["links"] = [*texts(service.source.get("links")), *inside]


def settle(draft: Draft) -> None:
    """Raises :class:`Blocked` where one name would stand for two services."""
    _take_dns_services_out(draft)
    known = {*draft.services, *draft.gone}
    meant = dict(draft.stood_in)
    for service in draft.services.values():
        for target, alias in _links(draft, service):
            if target not in known:
                raise Blocked(
                    f"The service '{service.name}' links to '{target}' (links), which is no service of the recipe."
                    " Mend the recipe: add it, or take the link out."
                )
            _link(draft, meant, target, alias)
        service.take("links")
        if service.take("depends_on"):
            draft.drop("depends_on", "a swarm starts services in any order", service.name)
    for alias, targets in meant.items():
        for target in sorted(targets):
            draft.aliases.setdefault(target, {})[alias] = None


def _take_dns_services_out(draft: Draft) -> None:
    """They only give a name to those that they link to."""
    for service in [service for service in draft.services.values() if _DNS_IMAGES.search(service.image)]:
        del draft.services[service.name]
        draft.gone.add(service.name)
        named = [draft.stood_in.get(target, {target}) for target, _ in _links(draft, service)]
        draft.stood_in[service.name] = set().union(*named) & set(draft.services)
        draft.tell(f"'{service.name}' became a further name", "a swarm gives services names itself")


def _link(draft: Draft, meant: dict[str, set[str]], target: str, alias: str) -> None:
    real = draft.stood_in.get(target, {target}) & set(draft.services)
    if not real or real == {alias} or meant.get(alias) == real:
        return
    shown = " and ".join(sorted(real))
    if alias in meant or alias in draft.services:
        other = alias if alias in draft.services else " and ".join(sorted(meant[alias]))
        raise Blocked(
            f"The name '{alias}' means the service '{shown}' in one link and '{other}' elsewhere, and a name "
            "of a swarm means the same for all. Mend the recipe: give one of them another alias."
        )
    meant[alias] = real
    draft.tell(f"The link name '{alias}' became a further name of '{shown}'", "all services of the stack can use it")


def _links(draft: Draft, service: Service) -> list[tuple[str, str]]:
    links = service.source.get("links")
    if isinstance(links, dict):
        return [(draft.resolved(target) or alias, alias) for alias, target in links.items()]
    cuts = [parts(draft.resolved(link)) for link in texts(links)]
    return [(cut[0], cut[1] if len(cut) > 1 else cut[0]) for cut in cuts]


def attach(draft: Draft, service: Service) -> None:
    """The networks of the new service."""
    mode = draft.resolved(service.take("network_mode") or service.take("net"))
    service.take("net")
    wished = service.take("networks")
    if mode == "host":
        _join_host(draft, service)
        return
    if mode not in _PRIVATE_NETWORKS:
        draft.tell(f"Dropped the network '{mode}'", "all services share one network of the stack", service.name)
    aliases = draft.aliases.get(service.name, {})
    for network in wished.values() if isinstance(wished, dict) else ():
        for alias in texts(network.get("aliases")) if isinstance(network, dict) else ():
            aliases.setdefault(alias, None)
    if wished:
        draft.drop("networks", "all services share one network of the stack, as on Rancher", service.name)
    if aliases:
        service.made["networks"] = {"default": {"aliases": list(aliases)}}


def _join_host(draft: Draft, service: Service) -> None:
    draft.made_networks["host"] = {"external": True, "name": "host"}
    service.made["networks"] = ["host"]
    if service.take("ports"):
        draft.drop("ports", "on the network of its host all ports are open there anyway", service.name)
    draft.tell(
        "The network of its host became the external network 'host'",
        "names of other services don't work there, and its own name does not work for them",
        service.name,
    )
