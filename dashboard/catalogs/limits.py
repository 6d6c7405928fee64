"""How much of a catalog is read and kept. Catalogs are anybody's."""

from __future__ import annotations

MOST_RECIPES = 5_000
MOST_VERSIONS = 100
MOST_FILE_BYTES = 2 * 2**20
MOST_COMPOSE = 500_000
MOST_README = 200_000
# Of all versions of a catalog together: many may show the same large file.
MOST_STORED = 128 * 2**20
MOST_SKIPPED = 300
MOST_UPLOAD_BYTES = 20 * 2**20
# What is read while somebody waits for it; the rest a worker reads.
MOST_READ_AT_ONCE = 2**20

REPOSITORIES = 200
REPOSITORIES_SECONDS = 120.0
REPOSITORY_SECONDS = 60.0

LOGO_BYTES = 200_000
LOGOS_AT_ONCE = 8
LOGOS_SECONDS = 60.0
LOGO_SECONDS = 10.0


def text_of(value: object, most: int) -> str:
    """The text as databases take it (no NUL, no half of a pair), cut where it is too long."""
    return str(value)[:most].encode("utf-8", "replace").decode().replace("\x00", "")


def cut(value: object, most: int) -> str:
    """One line of text."""
    line = " ".join(text_of(value, 4 * most).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
