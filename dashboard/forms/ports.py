"""The form that opens a port; what may be opened, and to whom, is the flow's to say."""

from __future__ import annotations

from typing import Any

from django import forms

from dashboard.flows.ports import checked_port, checked_source
from dashboard.models import OpenPort
from dashboard.models.openings import EVERYBODY
from platform_manager.errors import UserError

from .refusals import show_refusal

EVERYBODY_WORD, NETWORK = "everybody", "network"
WHO = [(EVERYBODY_WORD, "Everybody"), (NETWORK, "One network, or one address")]


class OpenPortForm(forms.Form):
    port = forms.IntegerField(
        label="Port",
        help_text="The one that is published on the hosts. It may be opened before a service publishes it.",
        error_messages={"required": "Say which port.", "invalid": "Write the number of the port in digits."},
        widget=forms.NumberInput(attrs={"min": 1, "max": 65_535, "inputmode": "numeric"}),
    )
    protocol = forms.ChoiceField(
        choices=OpenPort.Protocol.choices, error_messages={"invalid_choice": "Choose TCP or UDP."}
    )
    who = forms.ChoiceField(
        choices=WHO,
        label="Who may reach it",
        widget=forms.RadioSelect,
        error_messages={"required": "Say who may reach it.", "invalid_choice": "Say who may reach it."},
    )
    source = forms.CharField(
        max_length=60,
        required=False,
        label="The network",
        help_text="In CIDR form, such as 192.0.2.0/24; of no meaning for everybody.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        """All that is wrong at once, and not only what the flow comes to first."""
        given = super().clean() or self.cleaned_data
        for field, check in (("port", checked_port), ("source", checked_source)):
            if field in given and (field == "port" or given.get("who") == NETWORK):
                try:
                    check(given[field])
                except UserError as error:
                    show_refusal(self, error)
        return given

    def chosen_source(self) -> str:
        """Of a valid form."""
        given = self.cleaned_data
        return EVERYBODY if given["who"] == EVERYBODY_WORD else given["source"]
