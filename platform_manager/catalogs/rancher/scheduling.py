"""Where tasks run: Rancher's scheduler labels and scale to placement, mode and replicas."""

import re

from platform_manager.catalogs.rancher.draft import Draft, Service
from platform_manager.catalogs.rancher.trees import plain

_AFFINITY = re.compile(r"scheduler\.affinity:(?P<of>host_label|container_label|container)(?P<soft>_soft)?(?P<ne>_ne)?")
_RULE = "io.rancher.scheduler.affinity"
_OWN_NAME = re.compile(r"^io\.rancher\.stack_service\.name=(?:[^/]*/)?")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*")
_NODE_FACTS = {"io.rancher.host.os": "node.platform.os", "io.rancher.host.linux": ""}


def settle(draft: Draft, service: Service) -> None:
    is_global = draft.resolved(service.rancher_label("scheduler.global")).lower() == "true"
    if is_global:
        service.place("deploy")["mode"] = "global"
        draft.tell("The mode became global", "one task runs on every host that fits", service.name)
    _scale(draft, service, is_global)
    for name, value in service.labels.items():
        match = _AFFINITY.fullmatch(name.removeprefix("io.rancher."))
        wanted = draft.resolved(value)
        if not match and name.startswith(_RULE) and wanted:
            draft.tell(f"Dropped the label {name}", "a swarm has no such rule", service.name)
        if not match or not wanted:
            continue
        if match["of"] == "host_label":
            _host_labels(draft, service, match, value)
        else:
            _containers(draft, service, match, wanted, is_global)


def _scale(draft: Draft, service: Service, is_global: bool) -> None:
    scales = [service.take("scale"), service.extras.pop("scale", None)]
    scale = next((plain(value) for value in reversed(scales) if plain(value)), "")
    count = draft.resolved(scale)
    if is_global or not count:
        return
    if not re.fullmatch("[0-9]{1,6}", count):
        draft.drop("scale", f"'{count[:40]}' is no number", service.name)
        return
    service.place("deploy")["replicas"] = scale if "$" in scale else int(count)


def _host_labels(draft: Draft, service: Service, match: re.Match[str], value: str) -> None:
    entries = draft.resolved(value) if "=" not in value else value
    for entry in entries.split(","):
        key, _, wanted = (part.strip() for part in entry.partition("="))
        if not draft.resolved(wanted):
            continue
        if match["soft"]:
            why = "a swarm knows no soft ones: give 'node.labels' as a constraint if it matters"
            draft.tell(f"Dropped the wish for hosts with the label {draft.resolved(entry)}", why, service.name)
        elif not _LABEL_NAME.fullmatch(key):
            draft.tell(f"Dropped the host label '{key[:60]}'", "a swarm can't take that name", service.name)
        else:
            sign = "!=" if match["ne"] else "=="
            name = _NODE_FACTS.get(key) or f"node.labels.{key}"
            constraint = f"{name} {sign} {wanted}"
            service.place("deploy", "placement").setdefault("constraints", []).append(constraint)
            draft.tell(f"The host label became the constraint {constraint}", "label the hosts alike", service.name)


def _containers(draft: Draft, service: Service, match: re.Match[str], wanted: str, is_global: bool) -> None:
    others = ", ".join(_OWN_NAME.sub("", part.strip()) for part in wanted.split(","))[:200]
    if not match["ne"]:
        why = "a swarm can't place services beside others"
        draft.tell(f"Dropped the wish to run where {others} runs", why, service.name)
    elif not _means_itself(service, wanted):
        why = "a swarm can't keep different services apart: label hosts and add constraints if it matters"
        draft.tell(f"Dropped the wish to run where {others} does not run", why, service.name)
    elif match["soft"] or is_global:
        draft.tell(
            "Dropped the wish for different hosts", "a swarm spreads the tasks of a service itself", service.name
        )
    else:
        service.place("deploy", "placement")["max_replicas_per_node"] = 1
        why = "replicas beyond the number of hosts wait"
        draft.tell("Different hosts became max_replicas_per_node 1", why, service.name)


def _means_itself(service: Service, wanted: str) -> bool:
    """Whether the containers to stay away from are the service's own."""
    name, _, value = wanted.partition("=")
    if name == "io.rancher.stack_service.name":
        return value.rpartition("/")[2] in ("", "${service_name}", service.name)
    return service.labels.get(name) == value
