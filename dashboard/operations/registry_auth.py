"""The registry credentials of an environment, for deployments."""

from __future__ import annotations

from collections.abc import Iterable

from dashboard.models import Environment
from platform_manager.engines.registry import Login, auths

# Credentials for nothing, by which services lose those they had. Not empty: the CLI would then look for a helper
# program that keeps passwords on this machine.
NO_LOGINS = b'{"auths": {"none.invalid": {}}}'


def logins_of(environment: Environment) -> list[Login]:
    """All of them."""
    return [
        Login(row.server, (row.secret or {}).get("user", row.username), (row.secret or {}).get("password", ""))
        for row in environment.registries.all()
    ]


def auth_for(environment: Environment, images: Iterable[str]) -> bytes | None:
    """What the Docker CLI is given for these images; None where it needs nothing."""
    logins = logins_of(environment)
    return auths(logins, images) if logins else None
