"""What a recipe expects outside of it and people can give: contents of secrets and configs, and files."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from platform_manager.recipes.checks import Compose, section
from platform_manager.recipes.facts import EnvironmentFacts
from platform_manager.recipes.names import object_name_problem
from platform_manager.recipes.problems import Path, dotted
from platform_manager.recipes.recipe import clean_path

from .files import is_missing
from .findings import Finding, error
from .reading import file_references, is_external, swarm_name, used


@dataclass(frozen=True)
class Want:
    """An :class:`Asked` whose line is not known yet."""

    kind: Literal["secret", "config", "file"]
    name: str
    message: str
    path: Path
    secret: bool
    given: bool = False


def inspect(value: Compose, own: AbstractSet[str], wants: Iterable[Want]) -> Iterator[Finding]:
    for want in wants:
        if not want.given:
            yield error(want.path, want.message, f"give-{want.kind}:{want.name}")
    folders = _folders(own)
    for path, name in file_references(value):
        if is_missing(name, own) and clean_path(name) in folders:
            yield error(path, f"{dotted(path)}: '{name}' is a folder of the recipe. Name a file in it.")


def wants(value: Compose, facts: EnvironmentFacts, own: AbstractSet[str]) -> list[Want]:
    """Everything that is not there, each once, what was given for it included."""
    found = [
        *_objects(value, facts, "secret", facts.secrets, facts.given_secrets),
        *_objects(value, facts, "config", facts.configs, facts.given_configs),
        *_files(value, own),
    ]
    once: dict[tuple[str, str], Want] = {}
    for want in found:
        first = once.setdefault((want.kind, want.name), want)
        once[want.kind, want.name] = replace(first, secret=first.secret or want.secret)
    return list(once.values())


def _objects(
    value: Compose,
    facts: EnvironmentFacts,
    kind: Literal["secret", "config"],
    existing: AbstractSet[str] | None,
    given: AbstractSet[str],
) -> Iterator[Want]:
    section_name = f"{kind}s"
    declared = section(value, section_name)
    for key in used(value, section_name):
        name = swarm_name(key, declared.get(key, {}), facts.stack_name)
        if existing is None or name in existing or not is_external(declared.get(key, {})):
            continue
        if object_name_problem(section_name, name):
            continue
        message = f"The {kind} '{name}' does not exist here. Give its content, and it is made before the stack."
        yield Want(kind, name, message, (section_name, key), kind == "secret", name in given)


def _files(value: Compose, own: AbstractSet[str]) -> Iterator[Want]:
    folders = _folders(own)
    for path, name in file_references(value):
        if is_missing(name, own) and clean_path(name) not in folders:
            message = f"{dotted(path)}: the recipe has no file '{name}'. Paste its content, or upload the file."
            yield Want("file", clean_path(name), message, path, path[0] == "secrets")


def _folders(own: AbstractSet[str]) -> set[str]:
    return {".", *(str(parent) for file in own for parent in PurePosixPath(file).parents)}
