"""The form of a new environment; it only validates, the flow creates."""

from __future__ import annotations

from django import forms

from dashboard.models import EnvironmentTemplate
from dashboard.models.environments import MANAGER_COUNTS, MTU_LIMITS


class EnvironmentForm(forms.Form):
    template = forms.ModelChoiceField(
        EnvironmentTemplate.objects.all(),
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose a template.",
            "invalid_choice": "This template is gone; choose another.",
        },
    )
    name = forms.CharField(
        max_length=60,
        help_text="What it is called in lists; yours must differ from each other.",
        error_messages={
            "required": "Give the environment a name.",
            "max_length": "A name has at most 60 characters.",
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "For example: shop-test"}),
    )
    description = forms.CharField(max_length=200, required=False, help_text="What it is for, in one line. Optional.")
    managers = forms.TypedChoiceField(
        choices=MANAGER_COUNTS,
        coerce=int,
        label="Swarm managers",
        help_text="The first hosts become managers, until there are this many.",
    )
    mtu = forms.IntegerField(
        required=False,
        validators=MTU_LIMITS,
        label="MTU",
        help_text="Empty: the lowest MTU measured on the hosts. FIWARE Lab networks need 1400.",
        error_messages={"invalid": "Write the MTU as a number of bytes, or leave it empty."},
        widget=forms.NumberInput(attrs={"min": 576, "max": 9000, "placeholder": "Measured"}),
    )
