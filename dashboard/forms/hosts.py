"""The form that adds hosts; what is possible in this environment is the flow's to say."""

from __future__ import annotations

from django import forms

from dashboard.flows.cloud_hosts import Choices
from dashboard.models import LinkKind


class AnyChoices(forms.MultipleChoiceField):
    """Several words; whether they are there, only the cloud can say."""

    def valid_value(self, value: str) -> bool:
        return len(value) <= 200


class AddHostsForm(forms.Form):
    """``driver`` is "local" or the id of a cloud account; the rest of the fields after quantity are for the latter."""

    driver = forms.CharField(max_length=40, error_messages={"required": "Choose how the hosts are made."})
    prefix = forms.CharField(  # type: ignore[assignment]  # a form's own prefix is another thing
        max_length=200,
        label="Name prefix",
        error_messages={"required": "Give the hosts a prefix; they are numbered from it."},
    )
    quantity = forms.IntegerField(
        label="How many",
        error_messages={
            "required": "Say how many hosts you want, 1 to 20.",
            "invalid": "Write the number of hosts in digits, 1 to 20.",
        },
    )
    flavor = forms.CharField(max_length=200, required=False)
    image = forms.CharField(max_length=200, required=False)
    network = forms.CharField(max_length=200, required=False)
    pool = forms.CharField(max_length=200, required=False)
    zone = forms.CharField(max_length=200, required=False)
    key_pair = forms.CharField(max_length=200, required=False)
    security_groups = AnyChoices(required=False)
    volume_gib = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10_000,
        error_messages={"invalid": "Write the size of the boot volume in GiB, in digits."},
    )

    link = forms.ChoiceField(choices=LinkKind.choices, required=False)

    # The account whose lists the choices are from: after a change of the account they count for nothing.
    options_of = forms.CharField(max_length=40, required=False)

    def choices(self) -> Choices | None:
        """What was chosen of the cloud's lists, also in a form that is not valid; None where nothing was yet."""
        given = self.cleaned_data
        if not given.get("options_of") or given["options_of"] != given.get("driver"):
            return None
        words = {name: given.get(name) or "" for name in ("flavor", "image", "network", "pool", "zone", "key_pair")}
        groups = given.get("security_groups") or []
        link = given.get("link") or LinkKind.REVERSE
        return Choices(**words, security_groups=groups, volume_gib=given.get("volume_gib"), link=link)
