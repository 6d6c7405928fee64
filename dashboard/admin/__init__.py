"""The admin site: where operators look after everything."""

from . import environments, operations, stacks

__all__ = ["environments", "operations", "stacks"]
