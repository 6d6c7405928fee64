"""Several compose files as one, by the rules (and oddities) of the Docker CLI.

Services are merged key by key. Of networks, volumes, secrets and configs the last declaration counts as a
whole, of the version and of ``x-`` sections the first file's. Each file is checked by itself before.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from platform_manager.recipes import loaded, validation
from platform_manager.recipes.filling import env_file_variables, fill_environment
from platform_manager.recipes.interpolation import answered, interpolate_tree
from platform_manager.recipes.problems import Path, Problem, Severity
from platform_manager.recipes.recipe import Recipe, of_overlay, problem_in, version_of
from platform_manager.recipes.schema import NEWEST

Findings = list[tuple[Path, Problem]]
Merge = Callable[[Any, Any], Any]
SECTIONS = ("networks", "volumes", "secrets", "configs")


def merged(recipe: Recipe, answers: Mapping[str, str]) -> tuple[dict[str, Any], Findings]:
    """The recipe interpolated and merged, with what stands against that; never raises for what the files say.

    Without overlays it is the file itself, its empty environment entries filled. With them a merged service has
    its short notations written out, the version is the newest (each file was checked against its own), and what
    the schema refuses is not merged.
    """
    values: list[dict[str, Any]] = []
    problems: Findings = []
    for number, document in enumerate(recipe.documents):
        value, found = interpolate_tree(document.value, answers)
        fill_environment(value, answered(answers), recipe.files)
        if number:
            name = recipe.overlays[number - 1][0]
            checked = [(path, _error(path, message)) for path, message in _refused(value)]
            lines = [(path, problem_in(document, p.severity, path, p.message)) for path, p in [*found, *checked]]
            found = [(path, of_overlay(name, problem)) for path, problem in lines]
        values.append(value)
        problems += found
    if len(values) > 1:
        problems = [*((path, _error(path, message)) for path, message in _refused(values[0])), *problems]
    return merge(values, recipe.files), problems


def _error(path: Path, message: str) -> Problem:
    return Problem(Severity.ERROR, "", 0, message)


def _refused(value: Mapping[str, Any]) -> list[tuple[Path, str]]:
    minor = version_of(value)
    return validation.validate(dict(value), NEWEST if minor is None else minor)


def merge(values: list[dict[str, Any]], files: Mapping[str, bytes]) -> dict[str, Any]:
    """Interpolated values, the first file's first, as one value."""
    if len(values) == 1:
        return values[0]
    result = dict(values[0])
    for value in values[1:]:
        broken = {path[1] for part in (result, value) for path, _ in _broken_services(part)}
        for section in SECTIONS:
            if isinstance(value.get(section), dict) and isinstance(result.get(section, {}), dict):
                result[section] = {**result.get(section, {}), **value[section]}
        more = value.get("services")
        result["services"] = dict(result["services"]) if isinstance(result.get("services"), dict) else {}
        for name, service in more.items() if isinstance(more, dict) else ():
            if name not in result["services"]:
                result["services"][name] = service
            elif name not in broken:
                both = (_with_env_files(part, files) for part in (result["services"][name], service))
                result["services"][name] = _fields(_SERVICE)(*both)
        # What is written out here may be newer than the file's version knows.
        result["version"] = f"3.{NEWEST}"
    return result


def _with_env_files(service: dict[str, Any], files: Mapping[str, bytes]) -> dict[str, Any]:
    """Env files come before the ``environment`` of their own compose file, not of the merged one."""
    if not (listed := env_file_variables(service, files)):
        return service
    return {**service, "environment": {**listed, **loaded.environment(service.get("environment"))}}


def _broken_services(value: Mapping[str, Any]) -> list[tuple[Path, str]]:
    return [(path, words) for path, words in _refused(value) if path[:1] == ("services",) and len(path) > 1]


@dataclass(frozen=True)
class Rule:
    """``load`` gives both sides one form. ``always``: applied even when only the first file has the key."""

    merge: Merge
    load: Callable[[Any], Any] = lambda value: value
    always: bool = False


def _fields(rules: Mapping[str, Rule]) -> Merge:
    def merge_fields(base: Any, more: Any) -> dict[str, Any]:
        base, more = base or {}, more or {}
        result = dict(base)
        for key in dict.fromkeys([*base, *more]):
            rule = rules.get(key, _EXTENSION if key.startswith("x-") else _VALUE)
            if key not in base or (base[key] is None and not rule.always):
                # An empty list over nothing stays nothing, which counts where a rule applies ``always``.
                if more.get(key) != []:
                    result[key] = more[key] if key in more else base[key]
            elif key in more or rule.always:
                try:
                    result[key] = rule.merge(rule.load(base[key]), rule.load(more.get(key)))
                except ValueError:
                    # A notation that the CLI can't read, which the checks of each value report.
                    continue
        return result

    return merge_fields


def _filled(base: Any, more: Any) -> Any:
    """Zero, false and the empty text are nothing: they override nothing."""
    return more or base


def _filled_quantity(base: Any, more: Any) -> Any:
    """A duration or size; one of zero is nothing."""
    return more if more is not None and re.search("[1-9]", str(more)) else base


def _given(base: Any, more: Any) -> Any:
    return base if more is None else more


def _append(base: Any, more: Any) -> Any:
    return [*base, *more]


def _append_new(base: Any, more: Any) -> Any:
    """The CLI keeps doubles here; they have no effect, and no single file may have them."""
    return list(dict.fromkeys([*base, *more]))


def _update(base: Any, more: Any) -> Any:
    return {**base, **more}


def _update_filled(base: Any, more: Any) -> Any:
    return {**base, **{key: item for key, item in more.items() if item or not base.get(key)}}


def _by(key: str, nothing: Any) -> Merge:
    """Entries told apart by ``key`` alone: of two with the same the last one stays, whole."""

    def merge_entries(base: Any, more: Any) -> list[Any]:
        entries = {entry.get(key) or nothing: entry for entry in [*base, *more]}
        return [entries[mark] for mark in sorted(entries)]

    return merge_entries


def _attachments(base: Any, more: Any) -> dict[str, Any]:
    result = dict(base)
    for name, attachment in more.items():
        if result.get(name) is None:
            result[name] = attachment
        elif attachment is not None:
            result[name] = _attachment(result[name], attachment)
    return result


def _attachment(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Aliases are replaced even by none, addresses by given ones, options never."""
    kept = {key: item for key, item in base.items() if key != "aliases"}
    return {**kept, **{key: item for key, item in more.items() if item and key != "driver_opts"}}


def _logging(base: Any, more: Any) -> Any:
    if more is None:
        return base
    drivers = base.get("driver") or "", more.get("driver") or ""
    if all(drivers) and drivers[0] != drivers[1]:
        return more
    result = {**base, "driver": drivers[0] or drivers[1]}
    # Options can only be added to options.
    if base.get("options") is not None:
        result["options"] = {**loaded.mapping(base["options"]), **loaded.mapping(more.get("options"))}
    return result


def _extension(base: Any, more: Any) -> Any:
    if isinstance(base, dict) and isinstance(more, dict):
        return {**base, **{key: _extension(base[key], item) if key in base else item for key, item in more.items()}}
    return [*base, *more] if isinstance(base, list) and isinstance(more, list) else more


_VALUE = Rule(_filled)
_GIVEN = Rule(_given)
_QUANTITY = Rule(_filled_quantity)
_EXTENSION = Rule(_extension)
_MAPPING = Rule(_update, loaded.mapping)
_VARIABLES = Rule(_update_filled, loaded.environment)
_TEXTS = Rule(_append_new, loaded.texts)
_LIST = Rule(_append, lambda value: value or [])
_WORDS = Rule(_filled, loaded.words)
_REFERENCES = Rule(_by("source", ""), loaded.references, always=True)
_ROLLING = Rule(
    _fields({"parallelism": _GIVEN, "delay": _QUANTITY, "monitor": _QUANTITY}),
)
_RESOURCE = Rule(_fields({"memory": _QUANTITY, "generic_resources": _LIST}))
_DEPLOY = {
    "replicas": _GIVEN,
    "labels": _MAPPING,
    "update_config": _ROLLING,
    "rollback_config": _ROLLING,
    "resources": Rule(_fields({"limits": _RESOURCE, "reservations": _RESOURCE})),
    "restart_policy": Rule(_fields({"delay": _QUANTITY, "window": _QUANTITY, "max_attempts": _GIVEN})),
    "placement": Rule(_fields({"constraints": _LIST, "preferences": _LIST})),
}
_BUILD = {"args": _VARIABLES, "labels": _MAPPING, "cache_from": _TEXTS, "extra_hosts": Rule(_append_new, loaded.hosts)}
_HEALTHCHECK = {
    "test": Rule(_append, loaded.health_test),
    "retries": _GIVEN,
    **dict.fromkeys(("interval", "timeout", "start_period", "start_interval"), _QUANTITY),
}
_SERVICE = {
    "build": Rule(_fields(_BUILD), lambda value: {"context": value} if isinstance(value, str) else value),
    "command": _WORDS,
    "configs": _REFERENCES,
    "credential_spec": Rule(_fields({})),
    "deploy": Rule(_fields(_DEPLOY)),
    "entrypoint": _WORDS,
    "environment": _VARIABLES,
    "extra_hosts": Rule(_append_new, loaded.hosts),
    "healthcheck": Rule(_fields(_HEALTHCHECK)),
    "labels": _MAPPING,
    "logging": Rule(_logging),
    "networks": Rule(_attachments, loaded.attachments),
    "ports": Rule(_by("published", 0), loaded.port_entries, always=True),
    "secrets": _REFERENCES,
    "stop_grace_period": _QUANTITY,
    "sysctls": _MAPPING,
    "ulimits": Rule(lambda base, more: {**base, **(more or {})}),
    "volumes": Rule(_by("target", ""), loaded.mount_entries, always=True),
    **dict.fromkeys(
        (
            "cap_add",
            "cap_drop",
            "depends_on",
            "devices",
            "dns",
            "dns_search",
            "env_file",
            "expose",
            "external_links",
            "links",
            "security_opt",
            "tmpfs",
        ),
        _TEXTS,
    ),
}
