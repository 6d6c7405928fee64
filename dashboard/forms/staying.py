"""What is left in clouds whose accounts do not work; whether it may be is the flow's to say."""

from __future__ import annotations

from django import forms

from .hosts import AnyChoices


class LeaveForm(forms.Form):
    """``leave`` are the ids of the accounts whose machines stay."""

    leave = AnyChoices(required=False)

    @property
    def chosen(self) -> list[str]:
        """Also in a form that is not valid."""
        if not self.is_bound:
            return []
        self.is_valid()
        return list(self.cleaned_data.get("leave", []))
