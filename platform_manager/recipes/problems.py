"""What is wrong, or worth knowing, about a recipe: where it is and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from platform_manager.errors import UserError

Path: TypeAlias = tuple[str | int, ...]


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    DANGER = "danger"


@dataclass(frozen=True)
class Problem:
    """One finding. ``offer`` names what the platform can do about it, e.g. ``create-network:backend``."""

    severity: Severity
    path: str
    line: int
    message: str
    offer: str = ""

    def __str__(self) -> str:
        place = f"Line {self.line}: " if self.line else ""
        return f"{place}{self.message}"


class ComposeInvalid(UserError):
    """The compose file can't be used; ``problems`` holds every reason found, the first one is the message."""

    def __init__(self, problems: Iterable[Problem], field: str = "compose") -> None:
        self.problems = list(problems)
        more = len(self.problems) - 1
        tail = f" (and {more} more)" if more > 0 else ""
        super().__init__(f"{self.problems[0]}{tail}", field)


def dotted(path: Path) -> str:
    """``("services", "web", "ports", 0)`` as people read it: ``services.web.ports[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
