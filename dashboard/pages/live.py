"""Pages whose rows change while somebody looks at them.

A page has containers (elements with an id), a container has rows in order, and each row is a frozen record
drawn by one partial template whose outermost element carries the row's id. The page and the websocket draw from
the same records; what is on screen is compared record by record, and only rows that differ are drawn and sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any, Protocol

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe


class Row(Protocol):
    """A record compared by value; ``id`` is the id of its element."""

    @property
    def id(self) -> str: ...


@dataclass
class Container:
    """An element that holds rows; ``shared`` goes to each row's template, ``empty`` is drawn without rows."""

    id: str
    template: str
    rows: Sequence[Row]
    empty: str = ""
    shared: Mapping[str, Any] = field(default_factory=dict)

    def draw(self, row: Row) -> str:
        return get_template(self.template).render({**self.shared, "row": row}).strip()

    def html(self) -> SafeString:
        if not self.rows:
            return SafeString(get_template(self.empty).render(dict(self.shared)).strip() if self.empty else "")
        # Each row was drawn, and escaped, by its template.
        return mark_safe("\n".join(self.draw(row) for row in self.rows))  # noqa: S308


@dataclass
class Page:
    """What one address shows; the name and ``params`` (the query, the path's ids) rebuild it."""

    name: str
    template: str
    context: dict[str, Any]
    params: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def live(self) -> list[Container]:
        return [value for value in self.context.values() if isinstance(value, Container)]

    def digest(self) -> str:
        """Names the state of all rows, so that a viewer who has it is sent nothing."""
        told = repr([(container.id, list(container.rows)) for container in self.live])
        return blake2b(told.encode(), digest_size=12).hexdigest()


class Screen:
    """What one viewer has on screen."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Row]] = {}

    def assume(self, page: Page) -> None:
        """The viewer has this page as it is."""
        self._rows = {container.id: {row.id: row for row in container.rows} for container in page.live}

    def changes(self, page: Page) -> dict[str, Any]:
        """The message that makes the screen show this page; empty when it does already."""
        replace: list[str] = []
        remove: list[str] = []
        contents: dict[str, str] = {}
        append: dict[str, str] = {}
        for container in page.live:
            before = self._rows.get(container.id)
            after = {row.id: row for row in container.rows}
            kept = [key for key in before or {} if key in after]
            # Rows can be replaced, taken away and added at the end; another order means drawing all of them.
            if not before or not after or list(after)[: len(kept)] != kept:
                if before is None or list(before.items()) != list(after.items()):
                    contents[container.id] = container.html()
                continue
            remove += [key for key in before if key not in after]
            replace += [container.draw(row) for key, row in after.items() if key in before and before[key] != row]
            added = [container.draw(row) for key, row in after.items() if key not in before]
            if added:
                append[container.id] = "\n".join(added)
        self.assume(page)
        found = {"replace": replace, "contents": contents, "append": append, "remove": remove}
        return {key: value for key, value in found.items() if value}
