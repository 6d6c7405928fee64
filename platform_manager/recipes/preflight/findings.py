"""What the checks before a deployment yield, and how they say it."""

from collections.abc import Sequence
from dataclasses import dataclass

from platform_manager.recipes.facts import EnvironmentFacts
from platform_manager.recipes.problems import Danger, Path, Severity


@dataclass(frozen=True)
class Finding:
    """A :class:`Problem` whose line is not known yet."""

    severity: Severity
    path: Path
    message: str
    offer: str = ""
    danger: str = ""


def error(path: Path, message: str, offer: str = "") -> Finding:
    return Finding(Severity.ERROR, path, message, offer)


def warning(path: Path, message: str, offer: str = "") -> Finding:
    return Finding(Severity.WARNING, path, message, offer)


def danger(
    facts: EnvironmentFacts, kinds: Sequence[Danger], path: Path, message: str, otherwise: Severity = Severity.DANGER
) -> Finding:
    """An error where one of ``kinds`` is forbidden; ``otherwise`` the first of them is shown."""
    forbidden = next((kind for kind in kinds if kind in facts.forbidden), None)
    if forbidden is None:
        return Finding(otherwise, path, message, danger=kinds[0])
    refusal = f"{message} This platform does not allow {forbidden.words}: remove it, or ask an operator."
    return Finding(Severity.ERROR, path, refusal, danger=forbidden)
