"""Environments, their templates, and who may enter them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from dashboard.flows import environments, members
from dashboard.models import (
    Environment,
    EnvironmentTemplate,
    GroupAccess,
    Host,
    Invitation,
    Membership,
    Stack,
)

from .base import Observed, ObservedInline, PlatformAdmin
from .columns import linked
from .deeds import Deed

ALIVE = {"there": "success", "going": "warning", "deleted": "default"}
ROLES = {"owner": "primary", "member": "info", "restricted": "warning", "read_only": "default"}


@admin.register(EnvironmentTemplate)
class EnvironmentTemplateAdmin(PlatformAdmin[EnvironmentTemplate]):
    list_display = ["name", "slug", "managers", "mtu", "position"]
    search_fields = ["name", "description"]
    prepopulated_fields = {"slug": ["name"]}


class NewOwnerForm(forms.Form):
    to = forms.CharField(
        label="New owner",
        max_length=150,
        help_text="Their user name or confirmed e-mail.",
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_to(self) -> User:
        word = self.cleaned_data["to"].strip()
        # Anybody may say of any address that it is theirs; it counts when they have proven it.
        holders = EmailAddress.objects.filter(email__iexact=word, verified=True).values("user")
        found = list(User.objects.filter(username=word)[:1] or User.objects.filter(pk__in=holders)[:2])
        if len(found) != 1:
            several = "Several users have this e-mail: give the user name."
            nobody = f"There is no user called {word}."
            unproven = f"Nobody has confirmed the address {word}: give the user name."
            raise forms.ValidationError(several if found else unproven if "@" in word else nobody)
        return found[0]


class TypedNameForm(forms.Form):
    typed_name = forms.CharField(
        label="Its name, to be sure", max_length=100, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})
    )


def _hand_over(environment: Environment, by: User, given: Mapping[str, Any]) -> str:
    members.transfer_environment(environment, given["to"], by=by)
    return f"{environment} belongs to {given['to']} now."


def _delete(environment: Environment, by: User, given: Mapping[str, Any]) -> str:
    environments.delete_environment(environment, by, given["typed_name"])
    return f"{environment} is being deleted; its operation shows how far it is."


def _goes_and_stays(environment: Environment) -> list[str]:
    plan = environments.deletion_plan(environment)
    named = [
        ("Destroyed: ", [host.name for host in plan.destroyed]),
        ("They stay as they are: ", [host.name for host in plan.kept]),
        ("Stacks: ", plan.stacks),
    ]
    return [plan.sentence, *(f"{word}{', '.join(names)}." for word, names in named if names)]


def _stands(environment: Environment, user: Any) -> bool:
    return not (environment.removing_since or environment.deleted_at)


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("there", "In use"), ("going", "Being deleted"), ("deleted", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Environment]) -> QuerySet[Environment]:
        if self.value() == "deleted":
            return queryset.exclude(deleted_at=None)
        if self.value() == "going":
            return queryset.filter(deleted_at=None).exclude(removing_since=None)
        if self.value() == "there":
            return queryset.filter(deleted_at=None, removing_since=None)
        return queryset


class MembershipInline(ObservedInline[Membership, Environment]):
    model = Membership
    fields = ["user", "role"]
    related = ["user", "environment"]


class GroupAccessInline(ObservedInline[GroupAccess, Environment]):
    model = GroupAccess
    fields = ["group", "role"]
    related = ["group", "environment"]
    verbose_name_plural = "groups let in"


class HostInline(ObservedInline[Host, Environment]):
    model = Host
    fields = ["named", "driver", "role", "state", "link_up", "engine_up"]


class StackInline(ObservedInline[Stack, Environment]):
    model = Stack
    fields = ["named", "recipe", "state", "sentence"]


@admin.register(Environment)
class EnvironmentAdmin(Observed[Environment]):
    list_display = ["name", "show_owner", "show_state", "hosts", "stacks", "template", "created_at"]
    list_filter = [
        StateFilter,
        "managers",
        "template",
        ("owner__username", FieldTextFilter),
        ("created_at", RangeDateFilter),
    ]
    list_select_related = ["owner", "template"]
    search_fields = ["name", "description", "owner__username", "owner__email"]
    fields = [
        "id", "name", "description", "owner", "template", "managers", "mtu", "swarm_mtu", "created_at",
        "removing_since", "deleted_at",
    ]  # fmt: skip
    inlines = [MembershipInline, GroupAccessInline, HostInline, StackInline]
    show_owner = linked("owner", "owner")
    deeds = [
        Deed[Environment](
            "hand-over",
            "Hand to another owner",
            lambda environment: [
                f"It counts for its new owner's limits from then on; {environment.owner} stays as a member.",
                "The new owner need not be a member yet.",
            ],
            _hand_over,
            offered=_stands,
            form=NewOwnerForm,
            icon="swap_horiz",
        ),
        Deed[Environment](
            "delete",
            "Delete",
            _goes_and_stays,
            _delete,
            offered=_stands,
            form=TypedNameForm,
            danger=True,
            icon="delete",
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Environment]:
        return super().get_queryset(request).annotate(host_count=_count(Host), stack_count=_count(Stack))

    @display(description="hosts")  # type: ignore[untyped-decorator]
    def hosts(self, row: Any) -> int:
        return int(row.host_count)

    @display(description="stacks")  # type: ignore[untyped-decorator]
    def stacks(self, row: Any) -> int:
        return int(row.stack_count)

    @display(description="state", label=ALIVE)  # type: ignore[untyped-decorator]
    def show_state(self, row: Environment) -> tuple[str, str]:
        if row.deleted_at:
            return "deleted", "Deleted"
        return ("going", "Being deleted") if row.removing_since else ("there", "In use")

    def view_on_site(self, row: Environment) -> str | None:
        return None if row.deleted_at else reverse("environment", args=[row.pk])


def _count(model: Any) -> Coalesce:
    """How many rows of the model the environment has, counted for the rows that are shown only."""
    own = model.objects.order_by().filter(environment=OuterRef("pk")).values("environment")
    return Coalesce(Subquery(own.annotate(n=Count("pk")).values("n")), 0)


@admin.register(Membership)
class MembershipAdmin(Observed[Membership]):
    list_display = ["environment", "show_user", "show_role"]
    list_filter = ["role"]
    list_select_related = ["environment", "user"]
    search_fields = ["environment__name", "user__username", "user__email"]
    fields = ["environment", "user", "role"]
    ordering = ["-pk"]
    show_user = linked("user", "user")

    @display(description="role", ordering="role", label=ROLES)  # type: ignore[untyped-decorator]
    def show_role(self, row: Membership) -> tuple[str, str]:
        return row.role, row.get_role_display()


@admin.register(GroupAccess)
class GroupAccessAdmin(Observed[GroupAccess]):
    list_display = ["environment", "show_group", "role"]
    list_filter = ["role"]
    list_select_related = ["environment", "group"]
    search_fields = ["environment__name", "group__name"]
    fields = ["environment", "group", "role"]
    ordering = ["-pk"]
    show_group = linked("group", "group")


@admin.register(Invitation)
class InvitationAdmin(Observed[Invitation]):
    list_display = ["environment", "to", "role", "invited_by", "created_at", "show_state"]
    list_filter = ["role", "accepted", ("created_at", RangeDateFilter)]
    list_select_related = ["environment", "user", "invited_by"]
    search_fields = ["environment__name", "user__username", "email", "invited_by__username"]
    fields = [
        "environment",
        "user",
        "email",
        "role",
        "invited_by",
        "created_at",
        "expires_at",
        "answered_at",
        "accepted",
    ]

    @display(description="to")  # type: ignore[untyped-decorator]
    def to(self, row: Invitation) -> str:
        return str(row.user or row.email)

    @display(description="state", label={"open": "info", "yes": "success", "no": "default"})  # type: ignore[untyped-decorator]
    def show_state(self, row: Invitation) -> tuple[str, str]:
        if row.answered_at is None:
            return "open", "Open"
        return ("yes", "Accepted") if row.accepted else ("no", "Declined")
