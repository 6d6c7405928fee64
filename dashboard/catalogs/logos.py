"""Logos of recipes: what counts as a picture, and fetching those that are elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID
from xml.parsers import expat

import requests
from django.conf import settings

from dashboard.models import CatalogRecipe
from platform_manager import outgoing

from .limits import LOGO_BYTES, LOGO_SECONDS, LOGOS_AT_ONCE, LOGOS_SECONDS

CHUNK_BYTES = 16 * 2**10
SVG = "image/svg+xml"
SVG_ROOTS = ("http://www.w3.org/2000/svg svg", "svg")
MOST_FETCHED = 2_000


def kind_of(data: bytes) -> str:
    """The content type of a picture that browsers draw, "" for anything else."""
    if not data or len(data) > LOGO_BYTES:
        return ""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return SVG if _is_svg(data) else ""


class _NotSvgError(Exception):
    """Raised out of the parser, which then stops."""


def _is_svg(data: bytes) -> bool:
    roots: list[str] = []

    def begun(name: str, attributes: object) -> None:
        if not roots and name not in SVG_ROOTS:
            raise _NotSvgError
        roots.append(name) if not roots else None

    def declared(*anything: object) -> None:
        # Entities grow without bound, and no logo needs its own.
        raise _NotSvgError

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = begun
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, _NotSvgError, ValueError, LookupError):
        return False
    return bool(roots)


def fetch_missing(catalog_id: UUID, private: bool) -> int:
    """Fetch the logos of a catalog's recipes that have an address and no picture yet; how many came."""
    rows = CatalogRecipe.objects.filter(catalog=catalog_id, logo_type="", gone_at=None).exclude(logo_address="")
    wanted: dict[str, list[UUID]] = {}
    for pk, address in rows.values_list("pk", "logo_address")[:MOST_FETCHED]:
        wanted.setdefault(address, []).append(pk)
    came = 0
    for address, data in fetch(wanted, private):
        came += CatalogRecipe.objects.filter(pk__in=wanted[address], logo_address=address).update(
            logo=data, logo_type=kind_of(data)
        )
    return came


def fetch(addresses: Iterable[str], private: bool) -> list[tuple[str, bytes]]:
    """The pictures that could be had within :data:`LOGOS_SECONDS`; the others are left out."""
    wanted = [address for address in addresses if address.startswith(("http://", "https://"))]
    if not wanted:
        return []
    deadline = time.monotonic() + LOGOS_SECONDS
    # Threads end last: those of servers that say a byte now and then end with the session's time.
    with outgoing.session(private=private, seconds=LOGOS_SECONDS, proxy=settings.PM_CATALOG_PROXY) as session:
        with ThreadPoolExecutor(LOGOS_AT_ONCE, "logo") as threads:
            found = threads.map(lambda address: _get(session, address, deadline), wanted)
        return [(address, data) for address, data in zip(wanted, found, strict=True) if kind_of(data)]


def _get(session: requests.Session, address: str, deadline: float) -> bytes:
    """What is there, b"" where that can't be had or is too much."""
    left = deadline - time.monotonic()
    if left <= 0:
        return b""
    until, body = time.monotonic() + min(left, LOGO_SECONDS), bytearray()
    try:
        with session.get(address, timeout=min(left, LOGO_SECONDS), stream=True) as answer:
            if answer.status_code != 200:
                return b""
            for chunk in answer.iter_content(CHUNK_BYTES):
                body += chunk
                if len(body) > LOGO_BYTES or time.monotonic() > until:
                    return b""
    except (requests.RequestException, ValueError, OSError):
        return b""
    # What was ended in the middle is no picture.
    return bytes(body) if time.monotonic() <= until else b""
