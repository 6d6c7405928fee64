"""Search and paging, the same for every list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

PAGE_SIZE = 50
QUERY_CAP = 100

Item = TypeVar("Item")


@dataclass(frozen=True)
class Listing(Generic[Item]):
    """One page of what was found. ``number`` and ``pages`` count from 1."""

    items: Sequence[Item]
    query: str
    number: int
    pages: int
    found: int
    total: int
    size: int = PAGE_SIZE

    @property
    def first(self) -> int:
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last(self) -> int:
        return self.first + len(self.items) - 1 if self.items else 0

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def following(self) -> int:
        return self.number + 1 if self.number < self.pages else 0

    @property
    def params(self) -> dict[str, str]:
        """What rebuilds this page."""
        named = {"q": self.query, "p": str(self.number) if self.number > 1 else ""}
        return {name: value for name, value in named.items() if value}


class Pages(NamedTuple):
    """Where in a list of ``total`` items one is; numbers of pages count from 1."""

    number: int
    last: int
    total: int
    size: int = PAGE_SIZE

    @property
    def cut(self) -> slice:
        """The items of this page."""
        return slice((self.number - 1) * self.size, self.number * self.size)


def pages_of(total: int, params: Mapping[str, str], size: int = PAGE_SIZE) -> Pages:
    """The page that ``params`` (p) ask for, the nearest where there is none of that number."""
    last = max(1, -(-total // size))
    asked = params.get("p", "")
    number = min(last, max(1, int(asked))) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    return Pages(number, last, total, size)


def listing(items: Sequence[Item], params: Mapping[str, str], told: Callable[[Item], Iterable[str]]) -> Listing[Item]:
    """The page that ``params`` (q, p) ask for; ``told`` gives the texts of an item that are searched."""
    query = params.get("q", "").strip()[:QUERY_CAP]
    words = query.lower().split()
    found = [item for item in items if _has(words, told(item))] if words else items
    pages = pages_of(len(found), params)
    return Listing(found[pages.cut], query, pages.number, pages.last, len(found), len(items))


def _has(words: Iterable[str], texts: Iterable[str]) -> bool:
    text = "\n".join(texts).lower()
    return all(word in text for word in words)
