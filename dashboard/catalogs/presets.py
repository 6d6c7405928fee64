"""The catalogs that every platform has: the built-in recipes, and those of SmartSDK."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from dashboard.models import Catalog, CatalogKind, Stack
from platform_manager.catalogs import hidden

BUILTIN_ID = UUID("00000000-0000-7000-8000-000000000001")
SMARTSDK_ID = UUID("00000000-0000-7000-8000-000000000002")
PRESETS = (BUILTIN_ID, SMARTSDK_ID)
SMARTSDK_ADDRESS = "https://github.com/smartsdk/smartsdk-recipes"
NONE = "none"


def ensure() -> None:
    """Make the presets that are missing, and follow the setting; workers call it when they start."""
    builtin = {"name": _free("Built in", BUILTIN_ID), "kind": CatalogKind.BUILTIN}
    _, made = Catalog.objects.get_or_create(pk=BUILTIN_ID, defaults=builtin)
    if not made:
        # Another release has other recipes.
        Catalog.objects.filter(pk=BUILTIN_ID).update(due_at=timezone.now())
    if settings.PM_SMARTSDK_RECIPES == NONE:
        _drop_smartsdk()
        return
    wanted = smartsdk(settings.PM_SMARTSDK_RECIPES)
    name = _free("SmartSDK recipes", SMARTSDK_ID)
    secret = login(settings.PM_SMARTSDK_RECIPES)
    given = {"name": name, "position": 1, "secret": secret, **wanted}
    _, made = Catalog.objects.get_or_create(pk=SMARTSDK_ID, defaults=given)
    if not made:
        moved = Catalog.objects.filter(~Q(**wanted), pk=SMARTSDK_ID)
        moved.update(**wanted, commit="", secret=None, due_at=timezone.now(), reading_since=None)
        if secret:
            Catalog.objects.filter(pk=SMARTSDK_ID).update(secret=secret)


def smartsdk(setting: str) -> dict[str, Any]:
    kind = CatalogKind.FOLDER if setting.startswith("/") else CatalogKind.GIT
    return {"kind": kind, "address": hidden.shown(setting)}


def login(setting: str) -> dict[str, str] | None:
    """The user and password in the setting's address, which is shown without them."""
    found = hidden.apart(setting)
    return {"user": found.user, "password": found.password} if found.password else None


def _free(name: str, pk: UUID) -> str:
    """The name, or with a mark where another catalog of everybody's has it."""
    taken = Catalog.objects.filter(environment=None, name__iexact=name).exclude(pk=pk).exists()
    return f"{name} (preset)" if taken else name


def _drop_smartsdk() -> None:
    """Its stacks shall still know what they came from."""
    if Stack.objects.filter(source__catalog=SMARTSDK_ID).exists():
        Catalog.objects.filter(pk=SMARTSDK_ID).update(enabled=False)
    else:
        Catalog.objects.filter(pk=SMARTSDK_ID).delete()
