"""The admin site: where operators look after everything."""

from . import audit, catalogs, clouds, environments, hosts, openings, operations, people, platform, stacks

__all__ = [
    "audit",
    "catalogs",
    "clouds",
    "environments",
    "hosts",
    "openings",
    "operations",
    "people",
    "platform",
    "stacks",
]
