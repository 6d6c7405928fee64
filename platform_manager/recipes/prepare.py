"""What is handed to the Docker CLI: compose text without variables, and the files it reads.

The CLI substitutes variables out of its environment, which steers the CLI itself too (DOCKER_HOST, HOME ...).
So everything is substituted and cast here, and the CLI needs no environment at all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from platform_manager.errors import UserError
from platform_manager.recipes import checks, preflight, validation
from platform_manager.recipes.facts import no_text, no_text_words, with_provided
from platform_manager.recipes.filling import fill_environment
from platform_manager.recipes.interpolation import interpolate_tree
from platform_manager.recipes.merging import merge
from platform_manager.recipes.preview import MTU_OPTION
from platform_manager.recipes.problems import ComposeInvalid, Path, Severity, dotted
from platform_manager.recipes.recipe import Recipe, clean_path, leaves_recipe, of_overlay, problem_in, version_of
from platform_manager.recipes.rewriting import rewritten
from platform_manager.recipes.schema import NEWEST

Values = list[dict[str, Any]]

# The oldest versions to write: CLIs before 24 know up to 3.9 and want one.
_VERSIONS = (8, 9)
_KNOWS_NAMES = 5


@dataclass(frozen=True)
class Prepared:
    """``overlays`` are merged over ``compose`` in this order; ``files`` go next to it, by relative path."""

    compose: str
    overlays: tuple[str, ...]
    files: dict[str, bytes]


def prepare(
    recipe: Recipe,
    answers: Mapping[str, str],
    *,
    mtu: int,
    stack_name: str,
    pins: Mapping[str, str] | None = None,
    renames: Mapping[tuple[str, str], str] | None = None,
) -> Prepared:
    """``pins`` are images by service, ``renames`` names on the swarm by ("configs" or "secrets", key).

    Raises :class:`ComposeInvalid` for what can't be substituted, and when the CLI would read a file that is
    not the recipe's, UserError for an answer that is no text.
    """
    given = all_answers(answers, stack_name=stack_name, mtu=mtu)
    values = interpolated(recipe, given)
    set_version(values, bool(renames))
    adapt(recipe, values, given, mtu=mtu, pins=pins or {}, renames=renames or {})
    texts = [rewritten(value, document.root) for value, document in zip(values, recipe.documents, strict=True)]
    return Prepared(texts[0], tuple(texts[1:]), own_files(recipe, values))


def all_answers(answers: Mapping[str, str], *, stack_name: str, mtu: int) -> dict[str, str]:
    """The answers that count and what the platform provides; raises UserError for one that is no text."""
    given = with_provided(answers, stack_name=stack_name, mtu=mtu)
    for name in no_text(given):
        raise UserError(no_text_words(name), field=name)
    return given


def interpolated(recipe: Recipe, given: Mapping[str, str], *, later: str = "") -> Values:
    """The first file and its overlays with variables replaced; raises :class:`ComposeInvalid`."""
    values, problems = [], []
    for number, document in enumerate(recipe.documents):
        value, found = interpolate_tree(document.value, given, later=later)
        values.append(value)
        for path, problem in found:
            placed = problem_in(document, problem.severity, path, problem.message)
            problems.append(of_overlay(recipe.overlays[number - 1][0], placed) if number else placed)
    if problems:
        raise ComposeInvalid(problems)
    return values


def adapt(
    recipe: Recipe,
    values: Values,
    given: Mapping[str, str],
    *,
    mtu: int,
    pins: Mapping[str, str],
    renames: Mapping[tuple[str, str], str],
) -> None:
    """What a deployment changes in the files, in place."""
    for value in values:
        fill_environment(value, given, recipe.files)
    for name, image in pins.items():
        if service := _last(values, "services", name):
            service["image"] = image
    for (kind, key), name in renames.items():
        if (entry := _last(values, kind, key)) is not None:
            entry["name"] = name
            if isinstance(entry.get("external"), dict):
                entry["external"] = True
    _inject_mtu(values, mtu, recipe.files)


def own_files(recipe: Recipe, values: Values) -> dict[str, bytes]:
    """The files that the CLI reads for these; raises :class:`ComposeInvalid` when one is not the recipe's."""
    found: dict[str, bytes] = {}
    for path, name in _references(values):
        if not isinstance(name, str) or leaves_recipe(name) or clean_path(name) not in recipe.files:
            message = f"{dotted(path)}: the recipe has no file '{name}'. Add it to the recipe."
            raise ComposeInvalid([recipe.problem(Severity.ERROR, path, message)])
        found[clean_path(name)] = recipe.files[clean_path(name)]
    return found


def _references(values: Values) -> Iterator[tuple[Path, str]]:
    """Env files are read for each file, configs and secrets only as they were declared last."""
    declared: dict[str, Any] = {"configs": {}, "secrets": {}}
    for value in values:
        sections = _mappings_only(value)
        yield from preflight.file_references({"services": sections.get("services", {})})
        for kind, entries in declared.items():
            entries |= sections.get(kind, {})
    yield from preflight.file_references(declared)


def _mappings_only(value: dict[str, Any]) -> dict[str, Any]:
    """What of a file that nobody validated has the shape of sections with entries."""
    return {
        name: {key: item for key, item in part.items() if isinstance(item, dict)}
        for name, part in value.items()
        if isinstance(part, dict)
    }


def _last(values: Values, section: str, name: str) -> dict[str, Any] | None:
    """The last declaration of an entry, where it is one; of networks and the like only that one counts."""
    for value in reversed(values):
        part = value.get(section)
        if isinstance(part, dict) and name in part:
            if part[name] is None:
                part[name] = {}
            return part[name] if isinstance(part[name], dict) else None
    return None


def _inject_mtu(values: Values, mtu: int, files: Mapping[str, bytes]) -> None:
    """Swarm creates only the networks that services use; external ones keep the MTU they were made with."""
    together = _mappings_only(merge(values, files))
    declared = checks.section(together, "networks")
    for name in preflight.used_networks(together):
        network = declared.get(name, {})
        if preflight.is_external(network) or (network.get("driver") or "overlay") != "overlay":
            continue
        entry = _last(values, "networks", name)
        if entry is None:
            entry = _added(values[-1], "networks", name)
        if entry is None or not isinstance(entry.get("driver_opts") or {}, dict):
            continue
        entry["driver_opts"] = {MTU_OPTION: str(mtu), **(entry.get("driver_opts") or {})}


def _added(value: dict[str, Any], section: str, name: str) -> dict[str, Any] | None:
    part = value.setdefault(section, {})
    return part.setdefault(name, {}) if isinstance(part, dict) and part.get(name, {}) is not None else None


def set_version(values: Values, names: bool = False) -> None:
    """Give all files one version: their own, or the oldest that knows what they use (``names``: of configs)."""
    known = next((value["version"] for value in values if value.get("version")), "")
    if (not known or (names and known == "3")) and values:
        fitting = (minor for minor in _VERSIONS if not any(validation.validate(value, minor) for value in values))
        known = f"3.{next(fitting, NEWEST)}"
    elif names and (version_of({"version": known}) or 0) < _KNOWS_NAMES:
        known = f"3.{_KNOWS_NAMES}"
    for index, value in enumerate(values):
        values[index] = {"version": known, **{key: item for key, item in value.items() if key != "version"}}
