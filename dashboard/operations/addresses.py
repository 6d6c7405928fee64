"""Under which address machines of this computer reach the platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from platform_manager import wiring
from platform_manager.errors import ProviderError
from platform_manager.swarm.snapshot import part, sequence, text


def platform_address(run: Callable[..., Any]) -> str:
    """The configured address, else the gateway of the local engine's default bridge."""
    if settings.PM_LOCAL_ADDRESS:
        return settings.PM_LOCAL_ADDRESS

    async def gateway() -> str:
        async with wiring.local_engine() as engine:
            configs = sequence(part(await engine.get("/networks/bridge"), "IPAM", "Config"))
            return next((text(part(config, "Gateway"), 64) for config in configs), "")

    found: str = run(gateway())
    if not found:
        raise ProviderError(
            "The local engine's bridge network has no gateway; set PM_LOCAL_ADDRESS to an address of this machine.",
            retryable=False,
        )
    return found
