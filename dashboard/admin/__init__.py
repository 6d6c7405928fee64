"""The admin site: where operators look after everything."""

from . import audit, environments, hosts, operations, people, platform, stacks

__all__ = ["audit", "environments", "hosts", "operations", "people", "platform", "stacks"]
