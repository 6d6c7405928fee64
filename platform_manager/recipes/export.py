"""A recipe with its answers as a folder that plain ``docker stack deploy`` takes, without the secrets."""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence

from platform_manager.recipes import checks, preflight
from platform_manager.recipes.merging import merge
from platform_manager.recipes.names import object_name_problem
from platform_manager.recipes.prepare import Values, adapt, all_answers, interpolated, own_files, set_version
from platform_manager.recipes.recipe import Recipe, clean_path
from platform_manager.recipes.rewriting import escaped, rewritten

COMPOSE = "docker-compose.yml"
README = "README.txt"
CONFIGS = "configs"

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
    configs: Mapping[str, bytes] | None = None,
) -> dict[str, bytes]:
    """The folder's files by relative path: compose files, the recipe's own files and a README.

    Answers named in ``secret_names`` stay variables that are to be set for the command; their values are in
    no file. Files that become secrets are left out, and named in the README. ``configs`` are contents of external
    ones, by name: files that the README makes them of. Raises what :func:`prepare` raises.
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
    hidden = _secret_files(merge(values, recipe.files))
    names = _names(files, len(values))
    for name, value, document in zip(names, values, recipe.documents, strict=True):
        files[name] = rewritten(value, document.root, _with_variables).encode()
    folder = _free(CONFIGS, files)
    given = {name: f"{folder}/{name}" for name in sorted(configs or {}) if not object_name_problem("configs", name)}
    files |= {path: (configs or {})[name] for name, path in given.items()}
    text = _readme(stack_name, names, secrets, _externals(values, recipe.files, given), hidden)
    files[_free(README, files)] = text.encode()
    return {path: data for path, data in files.items() if path not in hidden}


def _secret_files(together: checks.Compose) -> list[str]:
    """The paths of the files that the CLI makes secrets of."""
    references = preflight.file_references({"secrets": checks.section(together, "secrets")})
    return sorted({clean_path(name) for _, name in references})


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


def _externals(values: Values, files: Mapping[str, bytes], configs: Mapping[str, str]) -> list[str]:
    """The commands that make what must be there before; ``configs`` are paths of their contents, by name."""
    together = merge(values, files)
    made = [_network(name) for name in _networks(together)]
    for kind in ("configs", "secrets"):
        declared = checks.section(together, kind)
        for key in preflight.used(together, kind):
            name = preflight.swarm_name(key, declared.get(key, {}), "")
            if preflight.is_external(declared.get(key, {})) and _MARK not in name:
                path = configs.get(name, "FILE") if kind == "configs" else "FILE"
                made.append(f"docker {kind[:-1]} create {shlex.quote(name)} {shlex.quote(path)}")
    return made


def _network(name: str) -> str:
    return f"docker network create --driver overlay --attachable {shlex.quote(name)}"


def _networks(together: checks.Compose) -> list[str]:
    declared = checks.section(together, "networks")
    used = [declared.get(name, {}) | {"key": name} for name in preflight.used_networks(together)]
    names = [preflight.swarm_name(network["key"], network, "") for network in used if preflight.is_external(network)]
    return [name for name in names if name not in ("host", "bridge", "none") and _MARK not in name]


def _readme(
    stack_name: str, names: Sequence[str], secrets: Sequence[str], before: Sequence[str], hidden: Sequence[str]
) -> str:
    options = " ".join(f"-c {shlex.quote(name)}" for name in names)
    lines = ["Run this in this folder, on a manager of the swarm:", ""]
    lines += [f"    {command}" for command in before]
    lines += [f"    docker stack deploy {options} {shlex.quote(stack_name or 'NAME')}", ""]
    if before:
        lines += ["What is created before the stack needs to be so once only.", ""]
    if any(command.endswith(" FILE") for command in before):
        lines += ["FILE is one of yours with the content: it is not in this folder.", ""]
    if secrets:
        lines += ["These secrets are not in the files. Set them before, each as in: export NAME='value'", ""]
        lines += [f"    {name}" for name in secrets]
        lines.append("")
    if hidden:
        lines += ["These files become secrets and are not in this folder. Put them here before:", ""]
        lines += [f"    {path}" for path in hidden]
        lines.append("")
    return "\n".join(lines)
