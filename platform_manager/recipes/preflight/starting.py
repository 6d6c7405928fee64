"""Updates that start new tasks before they end the old ones (start-first): both need room at the same time."""

from collections.abc import Iterator, Sequence

from platform_manager.recipes.checks import Compose, dig
from platform_manager.recipes.facts import EnvironmentFacts, HostFacts

from .capacity import RESOURCES, holders, sizes, space
from .findings import Finding, warning
from .placement import Fits, host_ports, most_on_a_host
from .reading import services


def inspect(value: Compose, facts: EnvironmentFacts, fits: Fits) -> Iterator[Finding]:
    """Only services that run now; of the stack's other tasks nobody knows which go first, so they count as gone."""
    for name, service in services(value).items():
        if dig(service, ("deploy", "update_config", "order")) != "start-first" or not facts.stack_name:
            continue
        full = f"{facts.stack_name}_{name}"
        running = sum(one.tasks for host in facts.hosts or () for one in host.held if one.service == full)
        if running and (reason := _none_left(service, full, facts, fits[name])):
            message = (
                f"An update of '{name}' starts new tasks before it ends the old ones, and no host has room for both: "
                f"{reason}. Write 'order: stop-first' under update_config, or add a host."
            )
            yield warning(("services", name, "deploy", "update_config", "order"), message)


def _none_left(service: Compose, full: str, facts: EnvironmentFacts, fits: Sequence[HostFacts]) -> str:
    """Why none of the hosts takes one more task, by the first of them; "" where one does."""
    reasons = [_full(service, full, facts.stack_name, host) for host in fits]
    return reasons[0] if reasons and all(reasons) else ""


def _full(service: Compose, full: str, stack: str, host: HostFacts) -> str:
    there = sum(one.tasks for one in host.held if one.service == full)
    ports, most = host_ports(service), most_on_a_host(service)
    if ports and there:
        return f"{host.name} has its port {ports[0]} in use by the old one"
    if most and there >= most:
        return f"{host.name} runs {there} of at most {most}"
    held = [one for one in host.held if one.stack != stack or one.service == full]
    for resource in RESOURCES:
        left, wanted = space(resource, host, held), resource.of(service, "reservations")
        if left.total and wanted > left.free:
            needs, free = sizes(resource, wanted, left.free)
            return f"each reserves {needs}, and {host.name} has {free} free{holders(resource, left)}"
    return ""
