"""Files that no deployment may read, and paths that hosts do not have."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from platform_manager.recipes.checks import Compose, section
from platform_manager.recipes.contents import size_problem
from platform_manager.recipes.problems import dotted
from platform_manager.recipes.recipe import clean_path, leaves_recipe

from .findings import Finding, error
from .reading import file_references, is_external, mounts, services


def inspect(value: Compose) -> Iterator[Finding]:
    for path, name in file_references(value):
        if leaves_recipe(name):
            message = f"{dotted(path)}: '{name}' lies outside the recipe. Add the file to the recipe."
            yield error(path, message)
    for kind in ("configs", "secrets"):
        for name, declared in section(value, kind).items():
            if not (is_external(declared) or declared.get("file") or declared.get("driver")):
                yield error((kind, name), f"{kind}.{name} has neither a 'file' nor 'external: true'. Add one.")
    for name, service in services(value).items():
        for index, mount in mounts(service):
            if mount.type == "bind" and mount.source and not mount.source.startswith("/"):
                message = (
                    f"services.{name}.volumes[{index}]: '{mount.source}' is a path that hosts do not have. "
                    "Use a named volume, or a config for a file."
                )
                yield error(("services", name, "volumes", index), message)


def sizes(value: Compose, own: Mapping[str, bytes]) -> Iterator[Finding]:
    """Files of the recipe that no swarm takes as a secret or config; of ``own`` files, by clean path."""
    for path, name in file_references(value):
        data = own.get(clean_path(name))
        if path[0] not in ("configs", "secrets") or data is None:
            continue
        if problem := size_problem(str(path[0])[:-1], len(data)):
            yield error(path, f"{dotted(path)}: '{name}' can't be handed over. {problem}")


def is_missing(name: str, own: AbstractSet[str]) -> bool:
    """Whether a file that the recipe may bring is not there."""
    return not leaves_recipe(name) and clean_path(name) not in own
