"""Knows all kinds of operations, so that a worker can run any of them."""

from importlib import import_module

MODULES = (
    "add_hosts",
    "remove_host",
    "start_host",
    "recreate_host",
    "roles",
    "deploy",
    "remove_stack",
    "open_ports",
    "delete_environment",
)


def load() -> None:
    for name in MODULES:
        import_module(f"dashboard.operations.{name}")
