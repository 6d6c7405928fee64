"""What a revision recorded, as a recipe again."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from dashboard.models import Revision
from platform_manager import recipes
from platform_manager.errors import UserError
from platform_manager.recipes.recipe import clean_path
from platform_manager.swarm import cluster

BASE64 = "base64"


def files_of(revision: Revision) -> dict[str, bytes]:
    return {path: b64decode(data) for path, data in (revision.files or {}).items()}


def stored(content: bytes) -> Any:
    """The content of a secret or config as JSON takes it: text as itself, anything else marked as base64."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {BASE64: b64encode(content).decode()}


def contents_of(revision: Revision, kind: str) -> dict[str, bytes]:
    """What the ``secrets`` or ``configs`` hold that were given for it, by their names on the swarm."""
    given = (revision.contents or {}).get(kind) or {}
    return {str(name): _loaded(content) for name, content in given.items()}


def _loaded(content: Any) -> bytes:
    return b64decode(content[BASE64]) if isinstance(content, dict) else str(content).encode()


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
                found.add(clean_path(path))
    return {path: data for path, data in files.items() if clean_path(path) in found}


def exported(revision: Revision, secret_names: set[str]) -> dict[str, bytes]:
    """The files of a folder that plain ``docker stack deploy`` takes. Raises ComposeInvalid."""
    return recipes.exported(
        recipe_of(revision),
        revision.answers or {},
        mtu=revision.stack.environment.swarm_mtu or cluster.DEFAULT_MTU,
        stack_name=revision.stack.name,
        secret_names=secret_names,
        pins=revision.pins,
        configs=contents_of(revision, "configs"),
    )
