"""Columns of lists: states as coloured labels, links between things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Model, TextChoices
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

# Tabler's colours, which the states name, as kinds of unfold's labels.
KINDS = {"green": "success", "azure": "info", "yellow": "warning", "red": "danger", "secondary": "default"}


def label(title: str, field: str, kinds: dict[str, str]) -> Callable[[Any, Any], tuple[str, str]]:
    """A column with the field's word on a colour; it sorts by the field."""

    @display(description=title, ordering=field, label=kinds)  # type: ignore[untyped-decorator]
    def column(admin: Any, row: Any) -> tuple[str, str]:
        return getattr(row, field), getattr(row, f"get_{field}_display")()

    found: Callable[[Any, Any], tuple[str, str]] = column
    return found


def state(states: type[TextChoices]) -> Callable[[Any, Any], tuple[str, str]]:
    """The column of a state that has a look."""
    looks: dict[str, Any] = {str(state.value): state.look for state in states}  # type: ignore[attr-defined]
    return label("state", "state", {word: KINDS[look.colour] for word, look in looks.items()})


def yes_no(title: str, field: str, yes: str, no: str, *, bad: str = "danger") -> Callable[[Any, Any], tuple[str, str]]:
    """A column of two words instead of an icon."""

    @display(description=title, ordering=field, label={"yes": "success", "no": bad})  # type: ignore[untyped-decorator]
    def column(admin: Any, row: Any) -> tuple[str, str]:
        return ("yes", yes) if getattr(row, field) else ("no", no)

    found: Callable[[Any, Any], tuple[str, str]] = column
    return found


def admin_url(row: Model) -> str:
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def link(row: Model | None) -> SafeString | str:
    """The thing's name, leading to its page."""
    return format_html('<a class="pm-link" href="{}">{}</a>', admin_url(row), str(row)) if row else ""


def linked(title: str, field: str) -> Callable[[Any, Any], SafeString | str]:
    """A column of links; the list has to select the related rows."""

    @display(description=title, ordering=field)  # type: ignore[untyped-decorator]
    def column(admin: Any, row: Any) -> SafeString | str:
        return link(getattr(row, field))

    found: Callable[[Any, Any], SafeString | str] = column
    return found


def moment(title: str, field: str) -> Callable[[Any, Any], str]:
    """A column of points in time to the second."""

    @display(description=title, ordering=field)  # type: ignore[untyped-decorator]
    def column(admin: Any, row: Any) -> str:
        at = getattr(row, field)
        return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S") if at else ""

    found: Callable[[Any, Any], str] = column
    return found
