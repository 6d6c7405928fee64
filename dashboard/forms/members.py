"""Forms about members: inviting, roles, groups, handing over."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet

from dashboard.flows.members import ROLE_SENTENCES
from dashboard.models import GroupAccess, MemberRole


def role_choices(roles: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(value, f"{label}: {ROLE_SENTENCES[MemberRole(value)]}") for value, label in roles]


def role_field(roles: list[tuple[str, str]], **options: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        choices=role_choices(roles),
        coerce=MemberRole,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a role.", "invalid_choice": "There is no such role; choose another."},
        **options,
    )


class InviteForm(forms.Form):
    who = forms.CharField(
        max_length=254,
        label="User name or e-mail address",
        help_text="People without an account are invited by e-mail, and make one first.",
        error_messages={"required": "Write a user name or an e-mail address."},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )
    role = role_field(MemberRole.choices, initial=MemberRole.MEMBER)


class RoleForm(forms.Form):
    role = role_field(MemberRole.choices)


class GroupRoleForm(forms.Form):
    role = role_field(GroupAccess.ROLES, initial=MemberRole.MEMBER)


class GrantForm(GroupRoleForm):
    """``groups`` are those the user may choose from."""

    group = forms.ModelChoiceField(
        Group.objects.none(),
        empty_label="Choose a group",
        help_text="Everybody in it gets the role, now and later: who joins the group comes in, who leaves it goes.",
        error_messages={
            "required": "Choose a group.",
            "invalid_choice": "Choose a group that you belong to.",
        },
    )
    field_order = ["group", "role"]

    def __init__(self, *args: Any, groups: QuerySet[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["group"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = groups


class TransferForm(forms.Form):
    """``people`` are the members to choose from."""

    to = forms.ModelChoiceField(
        User.objects.none(),
        label="New owner",
        empty_label="Choose a member",
        error_messages={
            "required": "Choose who owns the environment from now on.",
            "invalid_choice": "This user is no member any more; choose another.",
        },
    )
    typed_name = forms.CharField(
        max_length=200,
        label="Type the environment's name",
        error_messages={"required": "Type the environment's name to hand it over."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = people
