"""Keys that the swarm takes and drops."""

from collections.abc import Iterator

from platform_manager.recipes.checks import Compose
from platform_manager.recipes.words import IGNORED

from .findings import Finding, warning
from .reading import services


def inspect(value: Compose) -> Iterator[Finding]:
    for name, service in services(value).items():
        for key in service:
            # Privileges are dangerous or nothing; both is said elsewhere.
            if key in IGNORED and key != "privileged":
                message = f"services.{name}.{key} has no effect: {IGNORED[key]}."
                yield warning(("services", name, key), message)
        if "restart" in service:
            message = (
                f"services.{name}.restart: tasks of a stack follow deploy.restart_policy; "
                "this older key is used only when that is absent."
            )
            yield warning(("services", name, "restart"), message)
