"""A recipe with its answers as a folder that plain ``docker stack deploy`` takes, without the secrets."""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence

from platform_manager.recipes import checks, preflight
from platform_manager.recipes.merging import merge
from platform_manager.recipes.prepare import Values, adapt, all_answers, interpolated, own_files, set_version
from platform_manager.recipes.recipe import Recipe
from platform_manager.recipes.rewriting import escaped, rewritten

COMPOSE = "docker-compose.yml"
README = "README.txt"

# Stands for a secret until the text is written; no compose text and no answer can hold it.
_MARK = "\0"


def exported(
    recipe: Recipe,
    answers: Mapping[str, str],
    *,
    mtu: int,
    stack_name: str,
    secret_names: Collection[str],
    pins: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """The folder's files by relative path: compose files, the recipe's own files and a README.

    Answers named in ``secret_names`` stay variables that are to be set for the command; their values are in
    no file. Raises what :func:`prepare` raises.
    """
    given = all_answers(answers, stack_name=stack_name, mtu=mtu)
    secrets = [name for name in given if name in secret_names]
    known = interpolated(recipe, given)
    set_version(known)
    values = interpolated(recipe, {**given, **{name: f"{_MARK}{name}{_MARK}" for name in secrets}}, later=_MARK)
    for value, complete in zip(values, known, strict=True):
        value["version"] = complete["version"]
    shown = {name: text for name, text in given.items() if name not in secrets}
    adapt(recipe, values, shown, mtu=mtu, pins=pins or {}, renames={})
    files = {**recipe.files, **own_files(recipe, values)}
    names = _names(files, len(values))
    for name, value, document in zip(names, values, recipe.documents, strict=True):
        files[name] = rewritten(value, document.root, _with_variables).encode()
    text = _readme(stack_name, names, secrets, _externals(values, recipe.files))
    return {**files, _free(README, files): text.encode()}


def _with_variables(text: str) -> str:
    return re.sub(rf"{_MARK}([^{_MARK}]+){_MARK}", lambda match: _reference(match[1]), escaped(text))


def _reference(name: str) -> str:
    """A name with a separator in it would be read as a shorter one."""
    return f"${{{name}}}" if not re.search("[-?]", name) else f"${{{name}:-}}"


def _names(files: Collection[str], count: int) -> list[str]:
    names: list[str] = []
    for number in range(count):
        wanted = COMPOSE if not number else f"docker-compose.{number}.yml"
        names.append(_free(wanted, [*files, *names]))
    return names


def _free(wanted: str, taken: Collection[str]) -> str:
    """``wanted``, or a name like it that no file and no folder has."""
    used = {name.partition("/")[0] for name in taken}
    name, number = wanted, 0
    while name in used:
        number += 1
        name = f"stack-{number}.{wanted}"
    return name


def _externals(values: Values, files: Mapping[str, bytes]) -> list[str]:
    """``docker network create`` for the networks that must be there before."""
    together = merge(values, files)
    declared = checks.section(together, "networks")
    used = [declared.get(name, {}) | {"key": name} for name in preflight.used_networks(together)]
    names = [preflight.swarm_name(network["key"], network, "") for network in used if preflight.is_external(network)]
    return [name for name in names if name not in ("host", "bridge", "none") and _MARK not in name]


def _readme(stack_name: str, names: Sequence[str], secrets: Sequence[str], networks: Sequence[str]) -> str:
    options = " ".join(f"-c {shlex.quote(name)}" for name in names)
    lines = ["Run this in this folder, on a manager of the swarm:", ""]
    lines += [f"    docker network create --driver overlay --attachable {shlex.quote(name)}" for name in networks]
    lines += [f"    docker stack deploy {options} {shlex.quote(stack_name or 'NAME')}", ""]
    if networks:
        lines += ["The networks need to be created once only.", ""]
    if secrets:
        lines += ["These secrets are not in the files. Set them before, each as in: export NAME='value'", ""]
        lines += [f"    {name}" for name in secrets]
        lines.append("")
    return "\n".join(lines)
