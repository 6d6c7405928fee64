"""Networks, secrets and configs that belong to no stack: those made first for one, and those of others."""

from __future__ import annotations

from django.contrib.auth.models import User

from dashboard.models import Environment
from dashboard.models.auditing import record
from dashboard.operations.hosts.add_hosts import OVERLAYS
from dashboard.operations.nodes.managers import managers, speaking
from platform_manager import wiring
from platform_manager.errors import UserError
from platform_manager.swarm import provisions
from platform_manager.swarm.provisions import Shared

SECONDS = 30.0
# By the word of an address.
KINDS: dict[str, Shared] = {"network": "networks", "secret": "secrets", "config": "configs"}
EVERY_ENVIRONMENTS = frozenset(("ingress", *OVERLAYS))


def remove_shared(environment: Environment, user: User, kind: str, name: str) -> None:
    """``kind`` is one of :data:`KINDS`. UserError where a stack or a task has it, ProviderError without a manager."""
    if kind == "network" and name in EVERY_ENVIRONMENTS:
        raise UserError(f"{name} comes with every environment: recipes count on it.")
    hosts = managers(environment)

    async def remove() -> None:
        await provisions.remove(await speaking(hosts), KINDS[kind], name)

    wiring.run(remove(), SECONDS)
    record(f"{kind}.remove", environment=environment, by=user, name=name)
