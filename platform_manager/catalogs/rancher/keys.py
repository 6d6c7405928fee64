"""One service's keys, from compose 1 or 2 and rancher-compose.yml to compose 3.8."""

import re
from collections.abc import Callable
from typing import Any

from platform_manager.catalogs.rancher.draft import RANCHER_LABEL, Draft, Service
from platform_manager.catalogs.rancher.trees import Tree, plain, settings, texts
from platform_manager.recipes.scalars import resolve
from platform_manager.recipes.words import IGNORED

_NO_COUNTERPART = "it has no counterpart on a swarm"
_LIMITS = "a swarm knows limits and reservations of memory and processors only"
_DROPPED = {
    **{key: IGNORED[key] for key in ("build", "container_name", "domainname", "mac_address", "security_opt")},
    **dict.fromkeys(("cpu_shares", "cpuset", "cpu_quota", "cpu_period", "memswap_limit", "mem_swappiness"), _LIMITS),
}
# Of no meaning outside of Rancher, or on by themselves in a swarm.
_SILENT = ("dockerfile", "privileged", "links", "external_links", "volumes_from", "labels", "pid", "ipc", "uts")
_TEXTS = ("image", "hostname", "user", "working_dir", "stop_signal", "stop_grace_period")
_LISTS = ("dns", "dns_search", "cap_add", "cap_drop", "expose")
_SWITCHES = ("stdin_open", "tty", "read_only", "init")
_ORDER = ("image", "entrypoint", "command", "environment", "ports", "volumes", "networks", "deploy")
_SILENT_EXTRAS = ("start_on_create", "retain_ip", "lb_config", "load_balancer_config", "metadata", "type", "image")


def convert(draft: Draft, service: Service) -> None:
    """Fills ``service.made``; every key is taken, kept, written anew or told to be dropped."""
    _kept(draft, service)
    for key, handler in _HANDLERS.items():
        value = service.take(key)
        if value not in (None, "", [], {}):
            handler(draft, service, value)
    _labels(service)
    _once(draft, service)
    _extras(draft, service)
    _rest(draft, service)
    service.made = {key: service.made[key] for key in sorted(service.made, key=_place)}


def _kept(draft: Draft, service: Service) -> None:
    for key in _TEXTS:
        if value := plain(service.take(key)):
            service.made[key] = value
    for key in _LISTS:
        if listed := texts(service.take(key)):
            service.made[key] = list(dict.fromkeys(listed))
    for key in _SWITCHES:
        if draft.resolved(service.take(key)).lower() in ("true", "yes", "on"):
            service.made[key] = True


def _place(key: str) -> int:
    return _ORDER.index(key) if key in _ORDER else len(_ORDER)


def _rest(draft: Draft, service: Service) -> None:
    for key, value in service.source.items():
        if key not in _SILENT and value not in (None, "", False, [], {}):
            draft.drop(key, _DROPPED.get(key, _NO_COUNTERPART), service.name)


def _command(key: str) -> Callable[[Draft, Service, Any], None]:
    def handle(draft: Draft, service: Service, value: Any) -> None:
        service.made[key] = [plain(item) for item in value] if isinstance(value, list) else plain(value)

    return handle


def _environment(draft: Draft, service: Service, value: Any) -> None:
    named = {draft.resolved(key) if "$" in key else key: item for key, item in settings(value).items()}
    service.made["environment"] = named


def _ports(draft: Draft, service: Service, value: Any) -> None:
    ports = list(dict.fromkeys(text.strip() for text in texts(value)))
    if any(re.match(r"[0-9]+(?:\.[0-9]+){3}:", draft.resolved(port)) for port in ports):
        draft.tell("Ports bound to one address", "a swarm publishes them on all addresses of all hosts", service.name)
    service.made["ports"] = ports


def _restart(draft: Draft, service: Service, value: Any) -> None:
    word, _, attempts = draft.resolved(value).partition(":")
    condition = {"no": "none", "false": "none", "on-failure": "on-failure"}.get(word, "any")
    policy = service.place("deploy", "restart_policy")
    policy["condition"] = condition
    if condition == "on-failure" and attempts.isdecimal() and len(attempts) < 19:
        policy["max_attempts"] = int(attempts)


def _memory(kind: str) -> Callable[[Draft, Service, Any], None]:
    def handle(draft: Draft, service: Service, value: Any) -> None:
        if draft.resolved(value) not in ("", "0", "-1"):
            service.place("deploy", "resources", kind)["memory"] = plain(value)

    return handle


def _cpus(draft: Draft, service: Service, value: Any) -> None:
    if draft.resolved(value) not in ("", "0"):
        service.place("deploy", "resources", "limits")["cpus"] = plain(value)


def _log_driver(draft: Draft, service: Service, value: Any) -> None:
    if draft.resolved(value):
        service.place("logging")["driver"] = plain(value)


def _log_options(draft: Draft, service: Service, value: Any) -> None:
    if options := settings(value):
        service.place("logging")["options"] = {key: item or "" for key, item in options.items()}


def _logging(draft: Draft, service: Service, value: Any) -> None:
    if isinstance(value, dict):
        _log_driver(draft, service, value.get("driver"))
        _log_options(draft, service, value.get("options"))


def _ulimits(draft: Draft, service: Service, value: Any) -> None:
    made: Tree = {}
    for name, limit in value.items() if isinstance(value, dict) else ():
        if isinstance(limit, dict):
            both = {key: _whole(limit.get(key)) for key in ("soft", "hard")}
            made[name] = {key: next(n for n in (both[key], *both.values(), 0) if n is not None) for key in both}
        elif (number := _whole(limit)) is not None:
            made[name] = number
    if made:
        service.made["ulimits"] = made


def _whole(value: Any) -> int | None:
    number = resolve(plain(value))
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _named(key: str) -> Callable[[Draft, Service, Any], None]:
    def handle(draft: Draft, service: Service, value: Any) -> None:
        if key == "extra_hosts" and isinstance(value, list):
            service.made[key] = list(dict.fromkeys(texts(value)))
        elif named := settings(value):
            service.made[key] = {name: item or "" for name, item in named.items()}

    return handle


def _secrets(draft: Draft, service: Service, value: Any) -> None:
    made: list[str | Tree] = []
    for entry in value if isinstance(value, list) else [value]:
        if not isinstance(entry, dict):
            made += texts(entry)
        elif source := plain(entry.get("source")):
            kept: Tree = {key: plain(entry[key]) for key in ("target", "uid", "gid") if plain(entry.get(key))}
            mode = _whole(entry.get("mode"))
            made.append({"source": source, **kept, **({} if mode is None else {"mode": mode})})
    service.made["secrets"] = made


def _healthcheck(draft: Draft, service: Service, value: Any) -> None:
    if not isinstance(value, dict):
        return
    if value.get("disable") is True:
        service.made["healthcheck"] = {"disable": True}
        return
    made: Tree = {key: plain(value[key]) for key in ("interval", "timeout") if plain(value.get(key))}
    if (retries := _whole(value.get("retries"))) is not None:
        made["retries"] = retries
    test = value.get("test")
    if test:
        made["test"] = [plain(item) for item in test] if isinstance(test, list) else plain(test)
        service.made["healthcheck"] = made


def _labels(service: Service) -> None:
    kept = {name: value for name, value in service.labels.items() if not name.startswith(RANCHER_LABEL)}
    if kept:
        service.made["labels"] = kept


def _once(draft: Draft, service: Service) -> None:
    if draft.resolved(service.rancher_label("container.start_once")).lower() == "true":
        service.place("deploy", "restart_policy")["condition"] = "none"


def _extras(draft: Draft, service: Service) -> None:
    extras = service.extras
    if check := extras.pop("health_check", None):
        _told_check(draft, service, check if isinstance(check, dict) else {})
    if cpus := _whole(extras.pop("milli_cpu_reservation", None)):
        service.place("deploy", "resources", "reservations")["cpus"] = f"{cpus / 1000:g}"
    for key, value in extras.items():
        if key not in _SILENT_EXTRAS and key not in service.source and value not in (None, "", False, [], {}):
            draft.drop(key, "it is a key of Rancher without a counterpart on a swarm", service.name)


def _told_check(draft: Draft, service: Service, check: Tree) -> None:
    """Rancher asks from outside; what a container could ask itself with, nobody knows from here."""
    line = draft.resolved(check.get("request_line")).replace('"', "")
    asked = f"{line} on port" if line else "TCP connection to port"
    draft.tell(
        f"Dropped the health check ({asked} {draft.resolved(check.get('port'))})",
        "Rancher asked from outside, a swarm needs a command inside the container",
        service.name,
    )


_HANDLERS: dict[str, Callable[[Draft, Service, Any], None]] = {
    "command": _command("command"),
    "entrypoint": _command("entrypoint"),
    "environment": _environment,
    "ports": _ports,
    "restart": _restart,
    "mem_limit": _memory("limits"),
    "mem_reservation": _memory("reservations"),
    "cpus": _cpus,
    "log_driver": _log_driver,
    "log_opt": _log_options,
    "logging": _logging,
    "ulimits": _ulimits,
    "sysctls": _named("sysctls"),
    "extra_hosts": _named("extra_hosts"),
    "secrets": _secrets,
    "healthcheck": _healthcheck,
}
