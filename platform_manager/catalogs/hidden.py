"""What an address may not show: a user and password before its server, and values of its query that may be tokens.

What stands in rows, pages, logs and errors is the address without them; they are kept apart, encrypted.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from platform_manager.errors import UserError

MASK = "••••"
_SENT = quote(MASK)
_WEB = ("http://", "https://")
# Anything else may be a token: servers call theirs as they like.
PLAIN = frozenset({
    "ref", "ref_type", "branch", "tag", "at", "version", "api-version", "format", "alt", "raw", "inline", "path",
    "file", "filename", "lang", "download", "dl",
})  # fmt: skip


@dataclass(frozen=True)
class Apart:
    """``shown`` is for everybody; ``query`` is the whole query where something of it is hidden, "" elsewhere."""

    shown: str
    query: str = ""
    user: str = ""
    password: str = ""

    @property
    def whole(self) -> str:
        """What is asked for, without user and password."""
        return whole(self.shown, self.query)


def apart(address: str) -> Apart:
    """An address without what it may not show; what is no web address stays as it is."""
    if not address.lower().startswith(_WEB):
        return Apart(address)
    address = address.partition("#")[0]
    start, _, rest = address.partition("://")
    place, asked, query = rest.partition("?")
    server, slash, path = place.partition("/")
    login, at, host = server.rpartition("@")
    user, _, password = login.partition(":") if at else ("", "", "")
    pieces = [_masked(piece) for piece in query.split("&")]
    shown = f"{start}://{host}{slash}{path}{asked}{'&'.join(pieces)}"
    return Apart(shown, query if MASK in shown else "", unquote(user), unquote(password))


def shown(address: str) -> str:
    return apart(address).shown


def whole(shown: str, query: str) -> str:
    """The address as it was given."""
    return f"{shown.partition('?')[0]}?{query}" if query else shown


def renewed(typed: str, before: str, query: str) -> str:
    """What somebody typed who was shown ``before``: what is masked stays what it was, at the same server alone.

    UserError at ``address`` where nothing is known that a mask could stand for.
    """
    typed = typed.replace(_SENT, MASK)
    start, asked, given = typed.partition("?")
    if MASK not in typed:
        return typed
    known: dict[str, list[str]] = {}
    for piece in query.split("&") if _origin(typed) == _origin(before) else ():
        known.setdefault(_masked(piece), []).append(piece)
    pieces = []
    for piece in given.split("&"):
        if MASK in piece:
            if not known.get(piece):
                raise UserError(f"What {MASK} stands for is not known here. Write the address out.", "address")
            piece = known[piece].pop(0)
        pieces.append(piece)
    if MASK in start:
        raise UserError(f"An address has no {MASK} before its '?'. Write the address out.", "address")
    return f"{start}{asked}{'&'.join(pieces)}"


def _masked(piece: str) -> str:
    """Of ``name=value``, the name; a value without a name may be the token itself."""
    name, equals, value = piece.partition("=")
    if unquote(name).lower() in PLAIN or not (value or name) or (equals and not value):
        return piece
    return f"{name}={MASK}" if equals else MASK


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme.lower(), parts.netloc.lower()
