"""The list of a user's environments, as cards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from dashboard.models import (
    Environment,
    Host,
    HostState,
    MemberRole,
    Membership,
    OperationState,
    Stack,
    StackState,
)

from .live import Container, Page
from .looks import Badge

UNWELL_STACKS = [StackState.DEGRADED, StackState.FAILED, StackState.ROLLED_BACK]
UNWELL_HOSTS = [HostState.DISCONNECTED, HostState.FAILED]


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
    template: str
    created_at: datetime


def _count(rows: QuerySet[Any, Any]) -> Coalesce:
    of_one = rows.filter(environment=OuterRef("pk")).order_by().values("environment")
    return Coalesce(Subquery(of_one.annotate(n=Count("pk")).values("n")), 0)


def _badge(one: Any) -> Badge:
    """``one`` is an environment with the numbers of :func:`environments_page`."""
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


def _card(one: Any) -> EnvironmentCard:
    return EnvironmentCard(
        id=f"environment-{one.pk}",
        environment_id=one.pk,
        name=one.name,
        description=one.description,
        badge=_badge(one),
        hosts=one.host_count,
        active_hosts=one.active_hosts,
        stacks=one.stack_count,
        role=MemberRole(one.my_role).label,
        template=one.template.name if one.template else "",
        created_at=one.created_at,
    )


def environments_page(user: User) -> Page:
    """The user's environments with the numbers of their cards, in one query."""
    role = Membership.objects.filter(environment=OuterRef("pk"), user=user).values("role")[:1]
    found = (
        Environment.objects.visible_to(user)
        .select_related("template")
        .annotate(
            my_role=Subquery(role),
            host_count=_count(Host.objects.all()),
            active_hosts=_count(Host.objects.filter(state=HostState.ACTIVE)),
            unwell_hosts=_count(Host.objects.filter(state__in=UNWELL_HOSTS)),
            stack_count=_count(Stack.objects.all()),
            unwell_stacks=_count(Stack.objects.filter(state__in=UNWELL_STACKS)),
            busy=Count("operations", filter=Q(operations__state=OperationState.RUNNING)),
        )
    )
    cards = Container(
        "environment-cards", "environments/card.html", [_card(one) for one in found], "environments/first.html"
    )
    return Page("environments", "environments/list.html", {"environments": cards})
