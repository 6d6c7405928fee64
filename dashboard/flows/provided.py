"""What the platform tells recipes of the environment they are deployed to, as answers nobody has to give."""

from __future__ import annotations

from dashboard.models import Environment, HostRole

# The core gives these two itself, at every deployment.
BY_THE_CORE = ("STACK_NAME", "DOCKER_MTU")


def provided(environment: Environment) -> dict[str, str]:
    """By variable; the stack's name is known only with the stack."""
    roles = list(environment.hosts.exclude(node_id="").values_list("role", flat=True))
    return {
        "DOCKER_MTU": str(environment.swarm_mtu or 1500),
        "PM_ENVIRONMENT": environment.name,
        "PM_HOSTS": str(len(roles)),
        "PM_MANAGERS": str(roles.count(HostRole.MANAGER)),
    }
