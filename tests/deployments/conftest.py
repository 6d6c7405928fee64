"""Deployments on real swarms, with the platform's processes; on the embedded database, which they do not depend on."""

from tests.operations.conftest import lab, templates

__all__ = ["lab", "templates"]
