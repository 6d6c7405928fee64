"""The form that adds hosts; what is possible in this environment is the flow's to say."""

from __future__ import annotations

from django import forms


class AddHostsForm(forms.Form):
    driver = forms.CharField(max_length=20, error_messages={"required": "Choose how the hosts are made."})
    prefix = forms.CharField(  # type: ignore[assignment]  # a form's own prefix is another thing
        max_length=200,
        label="Name prefix",
        error_messages={"required": "Give the hosts a prefix; they are numbered from it."},
    )
    quantity = forms.IntegerField(
        label="How many",
        error_messages={
            "required": "Say how many hosts you want, 1 to 9.",
            "invalid": "Write the number of hosts in digits, 1 to 9.",
        },
    )
