"""The last plans that were shown, so that a deployment keeps the one it was made by without planning again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from dashboard.models import Environment
from dashboard.operations.deploying.planned import LONGEST

if TYPE_CHECKING:
    from .stacks import Wish

SECONDS = 900


@dataclass(frozen=True)
class Shown:
    """A plan as text, and the state of the swarm that it was made on (``swarm.held.state``); "" where there is none."""

    text: str = ""
    state: str = ""


def remember(environment: Environment, wish: Wish, pins: Mapping[str, str] | None, shown: Shown) -> None:
    """``shown`` is the plan of this wish, masked as it may be stored."""
    cache.set(_key(environment, wish, pins), [shown.text[:LONGEST], shown.state], SECONDS)


def recall(environment: Environment, wish: Wish, pins: Mapping[str, str] | None) -> Shown:
    """The plan of exactly this wish as it was shown last, if that was in the last quarter of an hour."""
    return Shown(*(cache.get(_key(environment, wish, pins)) or ()))


def _key(environment: Environment, wish: Wish, pins: Mapping[str, str] | None) -> str:
    """Keyed: a wish holds passwords, and others may read the cache."""
    told = {
        "environment": str(environment.pk),
        "name": wish.name,
        "compose": wish.compose,
        "answers": {name: value for name, value in wish.answers.items() if value != ""},
        "overlays": wish.overlays,
        "files": _digests(wish.files),
        "made": [sorted(wish.networks), sorted(wish.volumes)],
        "contents": [_digests(wish.secrets), _digests(wish.configs)],
        "pins": dict(pins or {}),
        "anew": wish.anew,
    }
    digest = salted_hmac("dashboard.plan_memory", json.dumps(told, sort_keys=True), algorithm="sha256")
    return f"plan-{digest.hexdigest()}"


def _digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: sha256(data).hexdigest() for name, data in contents.items()}
