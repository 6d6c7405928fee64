"""What a revision recorded, as a recipe again."""

from __future__ import annotations

from base64 import b64decode

from dashboard.models import Revision
from platform_manager import recipes
from platform_manager.errors import UserError
from platform_manager.swarm import cluster


def files_of(revision: Revision) -> dict[str, bytes]:
    return {path: b64decode(data) for path, data in (revision.files or {}).items()}


def recipe_of(revision: Revision) -> recipes.Recipe:
    """Raises ComposeInvalid."""
    overlays = [(overlay["name"], overlay["compose"]) for overlay in revision.overlays]
    return recipes.parse(revision.compose, files_of(revision), overlays=overlays)


def secret_files(revision: Revision) -> dict[str, bytes]:
    """The files that become secrets of the swarm; all of them where it can't be told which."""
    files = files_of(revision)
    if not files:
        return {}
    try:
        recipe = recipe_of(revision)
    except UserError:
        return files
    found: set[str] = set()
    for document in (recipe.document, *(overlay for _, overlay in recipe.overlays)):
        entries = document.value.get("secrets")
        for entry in entries.values() if isinstance(entries, dict) else ():
            path = entry.get("file") if isinstance(entry, dict) else None
            if isinstance(path, str):
                if "$" in path:
                    return files
                found.add(path.removeprefix("./"))
    return {path: data for path, data in files.items() if path.removeprefix("./") in found}


def exported(revision: Revision, secret_names: set[str]) -> dict[str, bytes]:
    """The files of a folder that plain ``docker stack deploy`` takes. Raises ComposeInvalid."""
    return recipes.exported(
        recipe_of(revision),
        revision.answers or {},
        mtu=revision.stack.environment.swarm_mtu or cluster.DEFAULT_MTU,
        stack_name=revision.stack.name,
        secret_names=secret_names,
        pins=revision.pins,
    )
