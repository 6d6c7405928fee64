"""What Keyrock says of a person, in one shape for its versions 5, 7 and 8; free of Django.

Nothing is taken on trust: whatever has another shape than Keyrock's answers is a :class:`SignInError`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from platform_manager.errors import PlatformError

MOST_ENTRIES = 200
LONGEST_NAME = 120
LONGEST_ID = 190


class SignInError(PlatformError):
    """The identity server failed us; ``detail`` is for the log only and holds no secret."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


@dataclass(frozen=True)
class Role:
    """A role of our application at Keyrock."""

    id: str
    name: str

    def is_called(self, wanted: str) -> bool:
        """By its id or by its name, in any case of letters."""
        return wanted.casefold() in (self.id.casefold(), self.name.casefold())


@dataclass(frozen=True)
class Organization:
    """An organization through which the person holds roles of our application."""

    id: str
    name: str
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True)
class Person:
    """Somebody with an account at Keyrock; ``username`` and ``email`` are empty when they were not shared."""

    uid: str
    username: str = ""
    email: str = ""
    roles: tuple[Role, ...] = ()
    organizations: tuple[Organization, ...] = field(default=())

    def all_roles(self) -> list[Role]:
        """Their own and those their organizations give them."""
        given = [role for organization in self.organizations for role in organization.roles]
        return list(dict.fromkeys([*self.roles, *given]))

    def has_role(self, wanted: str) -> bool:
        return any(role.is_called(wanted) for role in self.all_roles())


def read_person(answer: Any) -> Person:
    """The answer of GET /user; SignInError when it is none."""
    if not isinstance(answer, dict):
        raise SignInError("its answer about you is not what Keyrock says", f"/user gave {type(answer).__name__}")
    uid = _word(answer.get("id"), LONGEST_ID)
    if not uid:
        raise SignInError("its answer does not say who you are", f"/user without id, keys {sorted(answer)[:20]}")
    return Person(
        uid=uid,
        # Version 5 and 7.0 have the user name in displayName, which is empty since.
        username=_word(answer.get("username"), 150) or _word(answer.get("displayName"), 150),
        email=_word(answer.get("email"), 254),
        roles=_roles(answer.get("roles")),
        organizations=tuple(_organizations(answer.get("organizations"))),
    )


def _organizations(value: Any) -> list[Organization]:
    found = []
    for entry in _entries(value):
        # Version 5 calls the name displayName.
        name = _word(entry.get("name"), LONGEST_NAME) or _word(entry.get("displayName"), LONGEST_NAME)
        if name:
            found.append(Organization(_word(entry.get("id"), LONGEST_ID), name, _roles(entry.get("roles"))))
    return found


def _roles(value: Any) -> tuple[Role, ...]:
    roles = []
    for entry in _entries(value):
        name = _word(entry.get("name"), LONGEST_NAME)
        # The groups of organizations are called org:NAME; no role may pass for one.
        if name and not name.casefold().startswith("org:"):
            roles.append(Role(_word(entry.get("id"), LONGEST_ID), name))
    return tuple(roles)


def _entries(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [entry for entry in value[:MOST_ENTRIES] if isinstance(entry, dict)]


def _word(value: Any, longest: int) -> str:
    """The text as it is, or nothing: cut or mended, it could pass for the name of something else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    text = value.strip()
    return text if len(text) <= longest and text.isprintable() else ""
