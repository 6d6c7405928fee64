"""Knows all kinds of operations, so that a worker can run any of them."""

from importlib import import_module

MODULES = (
    "hosts.add_hosts",
    "hosts.remove_host",
    "hosts.start_host",
    "hosts.recreate_host",
    "nodes.roles",
    "deploying.deploy",
    "deploying.remove_stack",
    "clouds.open_ports",
    "hosts.delete_environment",
)


def load() -> None:
    for name in MODULES:
        import_module(f"dashboard.operations.{name}")
