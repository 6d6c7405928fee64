"""Under which names a deployment would put secrets and configs with other content, found out without a write.

A deployment learns whether a secret is the same by writing it again, which the swarm counts. A plan writes nothing:
a rotated name tells its content to whoever has the key, and a plain one is known from what was deployed last.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from typing import Any

from platform_manager.engines.client import EngineClient
from platform_manager.engines.errors import EngineError

from .rotation import Declared, is_rotated, renames, rotated
from .snapshot import mapping, part, sequence, text


async def planned_renames(
    client: EngineClient, wanted: Iterable[Declared], last: Iterable[Declared], stack: str, key: bytes
) -> tuple[dict[tuple[str, str], str], bool]:
    """The names that differ from the plain ones, and whether all secrets could be compared. Raises EngineError.

    ``last`` is what the deployment that runs now declared.
    """
    wanted = list(wanted)
    reader = _Reader(client, wanted, last, key)
    names = await renames(reader, wanted, stack, key)
    return names, reader.sure


class _Reader:
    """A client that answers what a write would say."""

    def __init__(self, client: EngineClient, wanted: Iterable[Declared], last: Iterable[Declared], key: bytes) -> None:
        self.sure = True
        self._client, self._key = client, key
        self._wanted = {one.name for one in wanted}
        self._last = {one.name: one for one in last if one.kind == "secrets"}
        self._names: set[str] = set()

    async def get(self, path: str, **params: Any) -> Any:
        found = await self._client.get(path, **params)
        if path == "/secrets":
            self._names = {text(part(one, "Spec", "Name"), 255) for one in map(mapping, sequence(found))}
        return found

    async def post(self, path: str, body: Any = None, **params: Any) -> None:
        """Of a secret, with the content it may have."""
        name, content = text(body["Name"], 255), b64decode(body["Data"])
        if not self._holds(name, content):
            raise EngineError("The content is another.", status=400, detail="only updates to Labels are allowed")

    async def delete(self, path: str, **params: Any) -> None:
        raise NotImplementedError("a plan removes nothing")

    def _holds(self, name: str, content: bytes) -> bool:
        of = next((one for one in self._wanted if is_rotated(name, one)), None)
        if of is not None and name not in self._wanted:
            # It tells its content, if it was given with this key: what never ran may be of before another one.
            same = name == rotated(Declared("secrets", "", of, content), self._key)
            self.sure = self.sure and (same or of in self._last)
            return same
        known = self._last.get(name)
        if known is None:
            self.sure = False
            return True
        if rotated(known, self._key) in self._names:
            # What runs now has a rotated name: the plain one holds something earlier.
            self.sure = False
            return False
        return known.content == content
