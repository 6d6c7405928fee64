"""Under which address machines of this computer reach the platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings

from platform_manager import wiring
from platform_manager.clouds.local import LocalDriver


def platform_address(run: Callable[..., Any]) -> str:
    """The configured address, else the gateway of the local engine's default bridge."""
    driver = wiring.driver("local")
    if settings.PM_LOCAL_ADDRESS or not isinstance(driver, LocalDriver):
        return str(settings.PM_LOCAL_ADDRESS)
    found: str = run(driver.gateway())
    return found
