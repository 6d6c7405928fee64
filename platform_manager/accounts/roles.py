"""Roles and organizations at Keyrock become groups here, and the operator's rights follow a role."""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction

from dashboard.models.hints import hint, user_group

from .keyrock import Organization, Person, Role

PREFIX = "fiware:"
# Whose rights come from the role; outside the prefix, so that no role can have its name.
OPERATORS = "Operators by FIWARE role"
SESSION_KEY = "came_from_fiware"


def person_of(account: SocialAccount) -> Person:
    """The person as they were at their last sign-in."""
    data: dict[str, Any] = account.extra_data
    organizations = tuple(
        Organization(entry["id"], entry["name"], _roles(entry["roles"])) for entry in data.get("organizations", ())
    )
    return Person(
        uid=account.uid,
        username=data.get("username", ""),
        email=data.get("email", ""),
        roles=_roles(data.get("roles", ())),
        organizations=organizations,
    )


def _roles(entries: Any) -> tuple[Role, ...]:
    return tuple(Role(entry["id"], entry["name"]) for entry in entries)


def group_names(person: Person) -> set[str]:
    named = {f"{PREFIX}{role.name}" for role in person.all_roles()}
    return named | {f"{PREFIX}org:{organization.name}" for organization in person.organizations}


def comes_from_fiware(user: User) -> bool:
    """They have no password of ours: FIWARE is their only way in."""
    return not user.has_usable_password() and SocialAccount.objects.filter(user=user, provider="fiware").exists()


@transaction.atomic
def follow(user: User, person: Person | None) -> None:
    """Make the user's groups and rights what Keyrock says; None takes all away. Groups made by hand stay."""
    wanted = group_names(person) if person else set()
    present = {group.name: group for group in user.groups.filter(name__startswith=PREFIX)}
    new = [Group.objects.get_or_create(name=name)[0] for name in sorted(wanted - present.keys())]
    gone = [group for name, group in present.items() if name not in wanted]
    user.groups.add(*new)
    user.groups.remove(*gone)
    role = settings.PM_FIWARE_OPERATOR_ROLE
    changed = _make_operator(user, bool(person and role and person.has_role(role)))
    if new or gone or changed:
        # Open pages of this user look again at what they may show.
        hint(user_group(user.pk), what="access")


def _make_operator(user: User, has_role: bool) -> bool:
    """Both ways, but never from somebody who was made operator by hand and has not had the role."""
    by_role = user.groups.filter(name=OPERATORS).exists()
    if has_role == by_role and not (has_role and not user.is_superuser):
        return False
    group, _ = Group.objects.get_or_create(name=OPERATORS)
    if has_role:
        user.groups.add(group)
    else:
        user.groups.remove(group)
    user.is_staff = user.is_superuser = has_role
    user.save(update_fields=["is_staff", "is_superuser"])
    return True
