"""Where the refusal of a flow stands in a form."""

from __future__ import annotations

from django import forms

from platform_manager.errors import UserError


def show_refusal(form: forms.BaseForm, error: UserError) -> None:
    """The sentence at the field it names, or above the form where the form has no such field."""
    form.add_error(error.field if error.field in form.fields else None, str(error))
