"""Users and groups. What would show a secret (tokens, applications, second factors) has no page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from dashboard.flows import operators
from dashboard.models import Environment, GroupAccess, Membership, UserLimits
from dashboard.models.permissions import is_operator
from platform_manager.accounts.roles import OPERATORS, comes_from_fiware

from .base import ForOperators, ObservedInline, PlatformAdmin
from .columns import link
from .deeds import Deed, each

if TYPE_CHECKING:
    from django.contrib.admin import StackedInline
else:
    from unfold.admin import StackedInline

FIWARE = "fiware:"
MOST_NAMED = 20

for model in (User, Group, SocialApp, SocialToken, SocialAccount, EmailAddress, Authenticator):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
for name in ("usersessions.UserSession", "sessions.Session"):
    found = next((model for model in admin.site._registry if model._meta.label == name), None)
    if found is not None:
        admin.site.unregister(found)


def _suspend(user: User, by: User, given: Mapping[str, Any] | None = None) -> str:
    operators.suspend_user(user, by)
    return f"{user} is suspended: their sessions have ended."


def _reactivate(user: User, by: User, given: Mapping[str, Any] | None = None) -> str:
    operators.reactivate_user(user, by)
    return f"{user} may sign in again."


def _make_operator(user: User, by: User, given: Mapping[str, Any]) -> str:
    operators.make_operator(user, by)
    return f"{user} is an operator now."


def _drop_operator(user: User, by: User, given: Mapping[str, Any]) -> str:
    operators.drop_operator(user, by)
    return f"{user} is no operator any more."


DEEDS = [
    Deed[User](
        "suspend",
        "Suspend",
        lambda user: [
            "Nobody can sign in as this user until somebody reactivates them. Their sessions end and their open pages "
            "close within seconds.",
            "Their environments and stacks go on running.",
        ],
        _suspend,
        offered=lambda user, by: user.is_active and user.pk != by.pk,
        danger=True,
        icon="block",
    ),
    Deed[User](
        "reactivate",
        "Reactivate",
        lambda user: ["They can sign in again as before; the sessions of before stay ended."],
        _reactivate,
        offered=lambda user, by: not user.is_active,
        icon="check_circle",
    ),
    Deed[User](
        "make-operator",
        "Make an operator",
        lambda user: [
            "An operator sees and changes every environment, user and setting.",
            "Where a role at the identity server makes operators, each sign-in through it decides anew.",
        ],
        _make_operator,
        offered=lambda user, by: user.is_active and not user.is_staff,
        icon="shield_person",
    ),
    Deed[User](
        "drop-operator",
        "Take the operator's rights",
        lambda user: ["They stay a user, with their own environments and those shared with them."],
        _drop_operator,
        offered=lambda user, by: user.is_staff and user.pk != by.pk,
        danger=True,
        icon="remove_moderator",
    ),
]


class UserLimitsInline(ForOperators, StackedInline[UserLimits, User]):
    model = UserLimits
    extra = 0
    max_num = 1
    verbose_name_plural = "limits of this user instead of everybody's"


class MembershipInline(ObservedInline[Membership, User]):
    model = Membership
    fields = ["environment", "role"]
    related = ["environment", "user"]
    verbose_name_plural = "environments of which the user is a member"


@admin.register(User)
class UserAdmin(PlatformAdmin[User], DjangoUserAdmin[User]):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "show_state", "show_role", "environments", "last_login", "date_joined"]
    list_filter = ["is_active", "is_staff", ("last_login", RangeDateFilter), ("date_joined", RangeDateFilter)]
    search_fields = ["username", "email", "first_name", "last_name"]
    ordering = ["username"]
    readonly_fields = ["last_login", "date_joined", "state", "role", "owned", "accounts"]
    autocomplete_fields = ["groups"]
    filter_horizontal = ()
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Rights", {"fields": ["state", "role", "groups"]}),
        ("Belongings", {"fields": ["owned", "accounts", "last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"classes": ["wide"], "fields": ["username", "email", "password1", "password2"]})]
    inlines = [UserLimitsInline, MembershipInline]
    actions = ["suspend", "reactivate"]
    deeds = DEEDS

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        own = Environment.objects.order_by().filter(owner=OuterRef("pk"), deleted_at=None).values("owner")
        count = Coalesce(Subquery(own.annotate(n=Count("pk")).values("n")), 0)
        return super().get_queryset(request).annotate(own_count=count)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        return self.inlines if obj else []

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """The page of a group leads to its members."""
        return lookup == "groups__id__exact" or super().lookup_allowed(lookup, value, request)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """One by one, and only who was suspended before."""
        return bool(obj and not obj.is_active and is_operator(request.user))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        user = self.get_object(request, unquote(id))
        if user is not None and comes_from_fiware(user):
            raise PermissionDenied(f"{user} signs in with FIWARE only; a password would go round the roles there.")
        answer: HttpResponse = super().user_change_password(request, id, form_url)
        return answer

    @display(description="state", ordering="is_active", label={"yes": "success", "no": "danger"})  # type: ignore[untyped-decorator]
    def show_state(self, row: User) -> tuple[str, str]:
        return ("yes", "Active") if row.is_active else ("no", "Suspended")

    @display(description="role", ordering="is_staff", label={"operator": "primary", "user": "default"})  # type: ignore[untyped-decorator]
    def show_role(self, row: User) -> tuple[str, str]:
        return ("operator", "Operator") if row.is_staff else ("user", "User")

    @display(description="environments", ordering="own_count")  # type: ignore[untyped-decorator]
    def environments(self, row: Any) -> int:
        return int(row.own_count)

    def state(self, row: User) -> str:
        return "Active" if row.is_active else "Suspended"

    def role(self, row: User) -> str:
        return "Operator" if row.is_staff else "User"

    @display(description="environments owned")  # type: ignore[untyped-decorator]
    def owned(self, row: User) -> SafeString | str:
        found = list(row.owned_environments.filter(deleted_at=None).only("id", "name")[: MOST_NAMED + 1])
        named = format_html_join(", ", "{}", ((link(one),) for one in found[:MOST_NAMED]))
        return format_html("{} and more", named) if len(found) > MOST_NAMED else named or "none"

    @display(description="accounts at providers")  # type: ignore[untyped-decorator]
    def accounts(self, row: User) -> str:
        found = SocialAccount.objects.filter(user=row).values_list("provider", "uid")[:MOST_NAMED]
        return ", ".join(f"{provider}: {uid}" for provider, uid in found) or "none"

    @admin.action(description="Suspend")
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        each(request, queryset, _suspend, "suspended")

    @admin.action(description="Reactivate")
    def reactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        each(request, queryset, _reactivate, "reactivated")


class GroupAccessInline(ObservedInline[GroupAccess, Group]):
    model = GroupAccess
    fields = ["environment", "role"]
    related = ["environment", "group"]
    verbose_name_plural = "environments that this group may enter"


@admin.register(Group)
class GroupAdmin(PlatformAdmin[Group], DjangoGroupAdmin):
    list_display = ["name", "show_source", "members"]
    search_fields = ["name"]
    ordering = ["name"]
    # Django's permissions say nothing here; rights come from roles.
    fields = ["name", "people"]
    readonly_fields = ["people"]
    filter_horizontal = ()
    inlines = [GroupAccessInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        through: QuerySet[Any] = User.groups.through.objects.order_by().filter(group=OuterRef("pk")).values("group")
        count = Coalesce(Subquery(through.annotate(n=Count("pk")).values("n")), 0)
        return super().get_queryset(request).annotate(member_count=count)

    def get_readonly_fields(self, request: HttpRequest, obj: Group | None = None) -> list[str]:
        kept = ["name"] if obj and (obj.name.startswith(FIWARE) or obj.name == OPERATORS) else []
        return [*kept, "people"]

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        """One by one; not the group that marks whose operator's rights go when their role does."""
        return bool(obj and obj.name != OPERATORS and is_operator(request.user))

    def get_inlines(self, request: HttpRequest, obj: Group | None) -> Any:
        return self.inlines if obj else []

    @display(description="comes from", label={"fiware": "info", "here": "default"})  # type: ignore[untyped-decorator]
    def show_source(self, row: Group) -> tuple[str, str]:
        return ("fiware", "FIWARE") if row.name.startswith(FIWARE) else ("here", "Here")

    @display(description="members", ordering="member_count")  # type: ignore[untyped-decorator]
    def members(self, row: Any) -> int:
        return int(row.member_count)

    @display(description="members")  # type: ignore[untyped-decorator]
    def people(self, row: Any) -> SafeString | str:
        if row.pk is None:
            return "Users are put into groups on their own pages."
        address = f"{reverse('admin:auth_user_changelist')}?groups__id__exact={row.pk}"
        return format_html('<a class="pm-link" href="{}">{}</a>', address, row.member_count)
