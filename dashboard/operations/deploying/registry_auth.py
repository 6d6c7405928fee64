"""The registry credentials of an environment, for deployments."""

from __future__ import annotations

from collections.abc import Iterable

from dashboard.models import Environment, Origin, Stack
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


def auth_for(stack: Stack, images: Iterable[str]) -> bytes | None:
    """What the Docker CLI is given for the stack's images; None leaves to its services what the swarm keeps for them.

    That would be credentials that were removed here; but of an adopted stack, those that somebody else gave it.
    """
    logins = logins_of(stack.environment)
    found = auths(logins, images) if logins else None
    if found is None and not stack.revisions.filter(origin=Origin.ADOPTED).exists():
        return NO_LOGINS
    return found
