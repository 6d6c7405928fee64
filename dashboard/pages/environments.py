"""The list of environments, as cards: one's own, those shared with one, and all for operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from dashboard.flows.invitations import invitations_for
from dashboard.models import (
    Environment,
    GroupAccess,
    Host,
    HostState,
    MemberRole,
    Membership,
    Operation,
    OperationState,
    Stack,
    StackState,
)
from dashboard.models.permissions import is_operator, strongest

from .lists import QUERY_CAP, Listing, pages_of
from .live import Container, Page
from .looks import Badge

UNWELL_STACKS = [StackState.DEGRADED, StackState.FAILED, StackState.ROLLED_BACK]
UNWELL_HOSTS = [HostState.DISCONNECTED, HostState.FAILED]
SHOWN_INVITATIONS = 20
TITLES = {"mine": "Mine", "shared": "Shared with me", "all": "All"}
EMPTY = {
    "mine": "environments/first.html",
    "shared": "environments/_none_shared.html",
    "all": "environments/_none_at_all.html",
}


@dataclass(frozen=True, slots=True)
class EnvironmentCard:
    id: str
    environment_id: UUID
    name: str
    description: str
    badge: Badge
    hosts: int
    active_hosts: int
    stacks: int
    role: str
    owner: str
    mine: bool
    template: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Tab:
    key: str
    title: str
    count: int
    active: bool


@dataclass(frozen=True, slots=True)
class Tabs:
    id: str
    tabs: tuple[Tab, ...]


@dataclass(frozen=True, slots=True)
class InvitationRow:
    id: str
    invitation_id: UUID
    environment: str
    owner: str
    role: str
    invited_by: str
    expires_at: datetime


def _count(rows: QuerySet[Any, Any]) -> Coalesce:
    of_one = rows.filter(environment=OuterRef("pk")).order_by().values("environment")
    return Coalesce(Subquery(of_one.annotate(n=Count("pk")).values("n")), 0)


def _badge(one: Any) -> Badge:
    """``one`` is an environment with the numbers of :func:`_with_numbers`."""
    if one.removing_since:
        return Badge("Removing", "yellow", True, "The environment is being deleted.")
    if one.unwell_hosts or one.unwell_stacks:
        return Badge("Needs a look", "red", False, "A host or a stack of it is not well.")
    if one.busy:
        return Badge("At work", "azure", True, "An operation runs.")
    if not one.host_count:
        return Badge("No hosts yet", "secondary", False, "Add hosts to use it.")
    if one.active_hosts:
        return Badge("Active", "green", False, "Its hosts take tasks.")
    return Badge("Starting", "azure", True, "Its hosts are being made.")


def _card(one: Any, user: User, role: MemberRole | None) -> EnvironmentCard:
    return EnvironmentCard(
        id=f"environment-{one.pk}",
        environment_id=one.pk,
        name=one.name,
        description=one.description,
        badge=_badge(one),
        hosts=one.host_count,
        active_hosts=one.active_hosts,
        stacks=one.stack_count,
        role=role.label if role else "Operator",
        owner=one.owner.get_username(),
        mine=one.owner_id == user.pk,
        template=one.template.name if one.template else "",
        created_at=one.created_at,
    )


def _with_numbers(ids: list[UUID]) -> QuerySet[Environment]:
    """These environments with the numbers of their cards, in one query."""
    busy = Operation.objects.filter(environment=OuterRef("pk"), state=OperationState.RUNNING)
    return (
        Environment.objects.filter(pk__in=ids)
        .select_related("template", "owner")
        .annotate(
            host_count=_count(Host.objects.all()),
            active_hosts=_count(Host.objects.filter(state=HostState.ACTIVE)),
            unwell_hosts=_count(Host.objects.filter(state__in=UNWELL_HOSTS)),
            stack_count=_count(Stack.objects.all()),
            unwell_stacks=_count(Stack.objects.filter(state__in=UNWELL_STACKS)),
            busy=Exists(busy),
        )
        .order_by("name", "pk")
    )


def _roles(user: User, ids: list[UUID]) -> dict[UUID, MemberRole | None]:
    """The user's strongest role in each of these, in one query."""
    own = Membership.objects.filter(user=user, environment__in=ids).values_list("environment_id", "role")
    shared = GroupAccess.objects.filter(group__user=user, environment__in=ids).values_list("environment_id", "role")
    found: dict[UUID, list[MemberRole]] = {}
    for environment_id, role in own.union(shared):
        found.setdefault(environment_id, []).append(MemberRole(role))
    return {environment_id: strongest(roles) for environment_id, roles in found.items()}


def _counts(user: User) -> dict[str, int]:
    numbers = (
        Environment.objects.of_member(user)
        .alive()
        .aggregate(mine=Count("pk", filter=Q(owner=user)), shared=Count("pk", filter=~Q(owner=user)))
    )
    return {**numbers, "all": Environment.objects.alive().count()} if is_operator(user) else numbers


def _of_tab(user: User, tab: str) -> QuerySet[Environment]:
    if tab == "all":
        return Environment.objects.visible_to(user)
    own = Environment.objects.of_member(user).alive()
    return own.filter(owner=user) if tab == "mine" else own.exclude(owner=user)


def _searched(found: QuerySet[Environment], query: str) -> QuerySet[Environment]:
    for word in query.split():
        found = found.filter(
            Q(name__icontains=word) | Q(description__icontains=word) | Q(owner__username__icontains=word)
        )
    return found


def _listing(user: User, tab: str, params: Mapping[str, str], total: int) -> Listing[EnvironmentCard]:
    """One page of the tab; the database searches and cuts, so that the number of environments does not matter."""
    query = params.get("q", "").strip()[:QUERY_CAP]
    found = _searched(_of_tab(user, tab), query)
    count = found.count() if query else total
    pages = pages_of(count, params)
    ids = list(found.order_by("name", "pk").values_list("pk", flat=True)[pages.cut])
    roles = _roles(user, ids)
    cards = [_card(one, user, roles.get(one.pk)) for one in _with_numbers(ids)]
    return Listing(cards, query, pages.number, pages.last, count, total)


def _invited(user: User) -> list[InvitationRow]:
    return [
        InvitationRow(
            id=f"invitation-{one.pk}",
            invitation_id=one.pk,
            environment=one.environment.name,
            owner=one.environment.owner.get_username(),
            role=one.get_role_display(),
            invited_by=str(one.invited_by or one.environment.owner),
            expires_at=one.expires_at,
        )
        for one in invitations_for(user)[:SHOWN_INVITATIONS]
    ]


def environments_page(user: User, params: Mapping[str, str] | None = None) -> Page:
    """``params`` hold the tab (``show``: mine, shared or all), ``q`` and ``p``."""
    params = params or {}
    counts = _counts(user)
    tab = params.get("show", "")
    if tab not in counts:
        tab = "shared" if counts["shared"] and not counts["mine"] else "mine"
    found = _listing(user, tab, params, counts[tab])
    tabs = Tabs("tabs", tuple(Tab(key, TITLES[key], count, key == tab) for key, count in counts.items()))
    empty = "environments/_nothing_found.html" if found.query else EMPTY[tab]
    context = {
        "listing": found,
        "tab": tab,
        "tabs": Container("environment-tabs", "environments/_tabs.html", [tabs]),
        "invitations": Container("my-invitations", "environments/_invitation.html", _invited(user)),
        "environments": Container("environment-cards", "environments/card.html", found.items, empty),
    }
    return Page("environments", "environments/list.html", context, {"show": tab, **found.params})
