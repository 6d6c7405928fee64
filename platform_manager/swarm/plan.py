"""What a deployment would create, change, replace and remove, object by object and field by field."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

Kind = Literal["service", "network", "secret", "config", "volume"]
Action = Literal["create", "update", "replace", "remove", "keep"]

COUNTED: dict[Action, str] = {
    "create": "to create",
    "update": "to change",
    "replace": "to replace",
    "remove": "to remove",
    "keep": "unchanged",
}
WORDS: dict[Action, str] = {
    "create": "Create",
    "update": "Change",
    "replace": "Replace",
    "remove": "Remove",
    "keep": "Keep",
}
SIGNS: dict[Action, str] = {"create": "+", "update": "~", "replace": "±", "remove": "-", "keep": "="}


ANEW = "All tasks stop first: what is there is removed and made anew. Volumes stay, each on its host."


@dataclass(frozen=True)
class Change:
    """A field as compose files name it; None where it is not set."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Item:
    """One object, and a sentence on it where there is more to say."""

    kind: Kind
    name: str
    action: Action
    changes: tuple[Change, ...] = ()
    note: str = ""

    @property
    def word(self) -> str:
        return WORDS[self.action]

    @property
    def text(self) -> str:
        lines = [f"{SIGNS[self.action]} {self.kind} {self.name} ({self.action})"]
        lines += [f"    {one.field}: {_word(one.before)} -> {_word(one.after)}" for one in self.changes]
        lines += [f"    {self.note}"] if self.note else []
        return "\n".join(lines)


class Count(NamedTuple):
    number: int
    action: Action
    words: str


@dataclass(frozen=True)
class Plan:
    """All items, those to make, change and remove first, and sentences about all of them."""

    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[Action, int]:
        """Items by action, each action named."""
        found = Counter(item.action for item in self.items)
        return {action: found[action] for action in COUNTED}

    @property
    def counted(self) -> list[Count]:
        """The counts with their words."""
        return [Count(number, action, COUNTED[action]) for action, number in self.counts.items()]

    @property
    def told(self) -> list[Item]:
        """The items with something to tell: all but those that stay as they are."""
        return [item for item in self.items if item.action != "keep" or item.note or item.changes]

    @property
    def unchanged(self) -> list[Item]:
        return [item for item in self.items if item.action == "keep" and not item.note and not item.changes]

    @property
    def changes_nothing(self) -> bool:
        return all(item.action == "keep" for item in self.items)

    def anew(self) -> Plan:
        """The same where everything is removed first: what is there is replaced, volumes aside."""
        return Plan(tuple(map(_anew, self.items)), (*self.notes, ANEW))

    @property
    def summary(self) -> str:
        return ", ".join(f"{count.number} {count.words}" for count in self.counted)

    @property
    def text(self) -> str:
        """The plan for a terminal; the counts are its last line."""
        return "\n".join([*(item.text for item in self.items), *self.notes, self.summary])


def _anew(item: Item) -> Item:
    if item.kind == "volume" or item.action in ("create", "remove"):
        return item
    # What the swarm would not change is no matter any more.
    return replace(item, action="replace", note="")


def _word(value: str | None) -> str:
    """One line of a terminal."""
    if value is None:
        return "(not set)"
    return value.replace("\n", "\\n").replace("\r", "\\r").replace("\x1b", "\\e") if value else '""'
