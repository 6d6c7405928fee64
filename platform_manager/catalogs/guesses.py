"""What catalogs leave unsaid, guessed from names."""

from __future__ import annotations

import re

from platform_manager.recipes.questions import QuestionKind

_SECRET = re.compile(r"(^|_)(PASSWORD|PASSWD|PASS|SECRET|TOKEN|APIKEY|API_KEY)$", re.IGNORECASE)
_SHORT = {"iot": "IoT", "ha": "HA", "sth": "STH", "api": "API", "mqtt": "MQTT", "ul": "UL", "json": "JSON"} | {
    "mysql": "MySQL",
    "db": "DB",
    "lwm2m": "LWM2M",
    "ui": "UI",
}


def kind_of(variable: str) -> QuestionKind:
    """A variable named after a secret is asked for as one."""
    return QuestionKind.PASSWORD if _SECRET.search(variable) else QuestionKind.STRING


def title_of(name: str) -> str:
    """``context-broker`` as ``Context Broker``."""
    words = [word for word in re.split(r"[-_.\s]+", name) if word]
    return " ".join(_SHORT.get(word.lower(), word[:1].upper() + word[1:]) for word in words)


def slug_of(text: str) -> str:
    """Lower-case letters, digits and ``-``; "" when nothing of the text can be kept."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")[:100].strip("-")
