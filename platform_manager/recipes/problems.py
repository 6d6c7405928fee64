"""What is wrong, or worth knowing, about a recipe: where it is and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from platform_manager.errors import UserError

Path: TypeAlias = tuple[str | int, ...]


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    DANGER = "danger"


class Danger(StrEnum):
    """What a recipe may ask of hosts; an operator can forbid each by this name."""

    DOCKER_SOCKET = "docker_socket"
    HOST_NETWORK = "host_network"
    HOST_FOLDERS = "host_folders"
    CAPABILITIES = "capabilities"
    PRIVILEGED = "privileged"

    @property
    def words(self) -> str:
        return {
            Danger.DOCKER_SOCKET: "the Docker socket",
            Danger.HOST_NETWORK: "the network of hosts",
            Danger.HOST_FOLDERS: "folders of hosts",
            Danger.CAPABILITIES: "added capabilities",
            Danger.PRIVILEGED: "privileged containers",
        }[self]


@dataclass(frozen=True)
class Problem:
    """One finding.

    ``offer`` names what the platform can do about it: ``create-network:NAME``, ``create-volume:NAME``,
    ``give-secret:NAME``, ``give-config:NAME``, ``give-file:PATH`` or ``recreate``. ``danger`` is a :class:`Danger`,
    also where it is forbidden and so an error.
    """

    severity: Severity
    path: str
    line: int
    message: str
    offer: str = ""
    danger: str = ""

    def __str__(self) -> str:
        place = f"Line {self.line}: " if self.line else ""
        return f"{place}{self.message}"


@dataclass(frozen=True)
class Asked:
    """Content that is missing and may be given: of a secret or config, or a file of the recipe by its path.

    ``secret``: nobody shall read it again. ``given``: it is at hand, so no problem tells of it.
    """

    kind: Literal["secret", "config", "file"]
    name: str
    message: str
    line: int
    secret: bool
    given: bool = False


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


def listed(words: Iterable[str], most: int = 5) -> str:
    """``a``, ``a and b``, ``a, b and c``; the rest of a long list as a number."""
    every = list(words)
    shown = every if len(every) <= most else [*every[:most], f"{len(every) - most} more"]
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
