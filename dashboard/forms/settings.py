"""The form of an environment's settings, and the one that deletes it."""

from __future__ import annotations

from django import forms

from .staying import LeaveForm


class EnvironmentSettingsForm(forms.Form):
    name = forms.CharField(
        max_length=60,
        error_messages={
            "required": "Give the environment a name.",
            "max_length": "A name has at most 60 characters.",
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(
        max_length=200,
        required=False,
        help_text="What it is for, in one line. Optional.",
        error_messages={"max_length": "A description has at most 200 characters."},
    )


class DeleteEnvironmentForm(LeaveForm):
    typed_name = forms.CharField(
        max_length=200,
        label="Type the environment's name",
        error_messages={"required": "Type the environment's name to delete it."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
