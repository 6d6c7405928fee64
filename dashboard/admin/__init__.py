"""The admin site: where operators look after everything."""

from . import audit, clouds, environments, hosts, openings, operations, people, platform, stacks

__all__ = ["audit", "clouds", "environments", "hosts", "openings", "operations", "people", "platform", "stacks"]
