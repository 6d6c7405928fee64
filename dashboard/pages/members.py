"""The members of an environment: people, groups, and who is invited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from dashboard.flows.members import ROLE_SENTENCES
from dashboard.models import Environment, Invitation, MemberRole, Right

from .lists import listing
from .live import Container, Page
from .viewer import Viewer

ROLE_COLOURS = {
    MemberRole.OWNER: "purple",
    MemberRole.MEMBER: "blue",
    MemberRole.RESTRICTED: "cyan",
    MemberRole.READ_ONLY: "secondary",
}


@dataclass(frozen=True, slots=True)
class MemberRow:
    id: str
    user_id: int
    name: str
    full_name: str
    role: MemberRole
    since: datetime
    me: bool
    the_owner: bool
    suspended: bool
    manage: bool

    @property
    def colour(self) -> str:
        return ROLE_COLOURS[self.role]

    def told(self) -> list[str]:
        return [self.name, self.full_name, self.role.label]


@dataclass(frozen=True, slots=True)
class GroupRow:
    id: str
    group_id: int
    name: str
    role: MemberRole
    people: int
    mine: bool
    manage: bool

    @property
    def colour(self) -> str:
        return ROLE_COLOURS[self.role]


@dataclass(frozen=True, slots=True)
class InvitedRow:
    id: str
    invitation_id: UUID
    who: str
    by_mail: bool
    role: MemberRole
    invited_by: str
    created_at: datetime
    expires_at: datetime
    manage: bool

    @property
    def colour(self) -> str:
        return ROLE_COLOURS[self.role]


@dataclass(frozen=True, slots=True)
class Buttons:
    id: str
    manage: bool
    leave: bool


def member_rows(viewer: Viewer) -> list[MemberRow]:
    environment, manage = viewer.environment, viewer.may(Right.MEMBERS)
    return [
        MemberRow(
            id=f"member-{one.user_id}",
            user_id=one.user_id,
            name=one.user.get_username(),
            full_name=one.user.get_full_name(),
            role=MemberRole(one.role),
            since=one.since,
            me=one.user_id == viewer.user.pk,
            the_owner=one.user_id == environment.owner_id,
            suspended=not one.user.is_active,
            manage=manage,
        )
        for one in environment.memberships.select_related("user").order_by("user__username")
    ]


def group_rows(viewer: Viewer) -> list[GroupRow]:
    mine = set(viewer.user.groups.values_list("pk", flat=True))
    found = viewer.environment.group_accesses.select_related("group").order_by("group__name")
    return [
        GroupRow(
            id=f"group-{one.group_id}",
            group_id=one.group_id,
            name=one.group.name,
            role=MemberRole(one.role),
            people=one.people,
            mine=one.group_id in mine,
            manage=viewer.may(Right.MEMBERS),
        )
        for one in found.annotate(people=Count("group__user"))
    ]


def masked(email: str) -> str:
    """Enough of an address for who knows it."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"


def invited_row(viewer: Viewer, one: Invitation) -> InvitedRow:
    manage = viewer.may(Right.MEMBERS)
    return InvitedRow(
        id=f"invitation-{one.pk}",
        invitation_id=one.pk,
        who=str(one.user) if one.user else one.email if manage else masked(one.email),
        by_mail=one.user is None,
        role=MemberRole(one.role),
        invited_by=str(one.invited_by or "somebody who left"),
        created_at=one.created_at,
        expires_at=one.expires_at,
        manage=manage,
    )


def open_invitations(environment: Environment) -> list[Invitation]:
    mine = Invitation.objects.open().filter(environment=environment)
    return list(mine.select_related("user", "invited_by"))


def members_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    shared = viewer.shared
    found = listing(member_rows(viewer), params, MemberRow.told)
    invited = [invited_row(viewer, one) for one in open_invitations(viewer.environment)]
    buttons = Buttons("members-buttons", viewer.may(Right.MEMBERS), viewer.role is not None)
    context = {
        **shared,
        "listing": found,
        "roles": [(role.label, ROLE_COLOURS[role], ROLE_SENTENCES[role]) for role in MemberRole],
        "buttons": Container("buttons", "members/_buttons.html", [buttons], shared=shared),
        "members": Container("members", "members/_row.html", found.items, "members/_nobody_found.html", shared),
        "groups": Container("groups", "members/_group_row.html", group_rows(viewer), "members/_no_groups.html", shared),
        "invited": Container("invited", "members/_invited_row.html", invited, "members/_nobody_invited.html", shared),
    }
    return Page("members", "members/list.html", context, found.params)
