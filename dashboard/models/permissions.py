"""Who may do what in an environment: the one table that views, websockets, flows and templates ask."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

from .states import MemberRole

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class Right(StrEnum):
    """Something one may be allowed to do in an environment; templates ask ``can.deploy``."""

    LOOK = "look"
    DEPLOY = "deploy"
    HOSTS = "hosts"
    SETTINGS = "settings"
    MEMBERS = "members"
    DELETE = "delete"


RIGHTS: dict[MemberRole, frozenset[Right]] = {
    MemberRole.OWNER: frozenset(Right),
    MemberRole.MEMBER: frozenset({Right.LOOK, Right.DEPLOY, Right.HOSTS, Right.SETTINGS}),
    MemberRole.RESTRICTED: frozenset({Right.LOOK, Right.DEPLOY}),
    MemberRole.READ_ONLY: frozenset({Right.LOOK}),
}
# Operators look after the environments of everybody.
OPERATOR_RIGHTS = frozenset(Right)

READ_ONLY = "You may look at this environment but not change it. Ask {owner} for the role of a member."
# What somebody inside is told who lacks the right; {owner} is the environment's.
REFUSALS = {
    Right.LOOK: "You may not look at this environment.",
    Right.DEPLOY: READ_ONLY,
    Right.HOSTS: "Your role here may not add, change or remove hosts. Ask {owner} for the role of a member.",
    Right.SETTINGS: "Your role here may not change the environment's settings. Ask {owner} for the role of a member.",
    Right.MEMBERS: "Only an owner of an environment decides who its members are. Ask {owner} to do it.",
    Right.DELETE: "Only an owner of an environment can delete it. Ask {owner} to do it.",
}

# The right that asks for an operation also cancels and repeats it.
OPERATION_RIGHTS = {
    "add_hosts": Right.HOSTS,
    "remove_host": Right.HOSTS,
    "start_host": Right.HOSTS,
    "recreate_host": Right.HOSTS,
    "change_role": Right.HOSTS,
    "open_ports": Right.HOSTS,
    "deploy_stack": Right.DEPLOY,
    "remove_stack": Right.DEPLOY,
    "delete_environment": Right.DELETE,
}


def is_operator(user: User | AnonymousUser) -> bool:
    """Whether the user looks after the whole platform."""
    return bool(user.is_authenticated and user.is_active and user.is_staff)


def rights_of(role: MemberRole | None, *, operator: bool = False) -> frozenset[Right]:
    """All that a role allows, and being an operator."""
    of_role = RIGHTS[role] if role else frozenset()
    return of_role | OPERATOR_RIGHTS if operator else of_role


def strongest(roles: Iterable[MemberRole]) -> MemberRole | None:
    """The role that allows most; None of no roles."""
    return max(roles, key=lambda role: len(RIGHTS[role]), default=None)


def right_for(operation_kind: str) -> Right:
    return OPERATION_RIGHTS.get(operation_kind, Right.DELETE)


def refusal(role: MemberRole | None, right: Right, owner: object) -> str:
    """The sentence for who lacks the right."""
    sentence = READ_ONLY if role == MemberRole.READ_ONLY else REFUSALS[right]
    return sentence.format(owner=owner)
