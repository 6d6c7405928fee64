"""Collections of real recipes, where a checkout stands beside them; tests add samples of their own."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def corpus(name: str) -> Path | None:
    """The folder ``shared/data/<name>`` next to the checkout or above it."""
    folders = (parent / "shared" / "data" / name for parent in ROOT.parents)
    return next((folder for folder in folders if folder.is_dir()), None)
