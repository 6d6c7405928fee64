"""Measure everything in one run on the same engines: a line a figure, ``KEY VALUE BAR ok|short``, on stdout.

Words on the command line choose measurements by their module's name; without any, all are made.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import FrameType


def settings_of(directory: Path) -> None:
    """Its own files and database; the lab's processes are told where that is."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "platform_manager.settings"
    os.environ["PM_VAR"] = str(directory)
    os.environ["PM_DATABASE_URL"] = f"sqlite://{directory}/platform.sqlite3"
    os.environ.pop("PM_REDIS_URL", None)

    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def run(chosen: list[str]) -> None:
    from . import deploy_time, idle, links, log_delay, log_rate, pages, stalled, state_delay
    from .bed import running_bed

    on_engines = (idle, deploy_time, log_rate, log_delay, state_delay, stalled, pages)
    wanted = [module for module in on_engines if not chosen or module.__name__.rpartition(".")[2] in chosen]
    if wanted:
        with running_bed() as bed:
            for module in wanted:
                attempt(module.__name__, partial(module.measure, bed))
    if not chosen or "links" in chosen:
        attempt(links.__name__, links.measure)


def attempt(name: str, measure: Callable[[], Iterable[object]]) -> None:
    """Print what a measurement gives; one that breaks is told, and the others go on."""
    from .figures import Figure, say

    say(f"measuring {name.rpartition('.')[2]}")
    try:
        for figure in measure():
            assert isinstance(figure, Figure)
            sys.stdout.write(f"{figure}\n")
            sys.stdout.flush()
            if not figure.ok and figure.why:
                sys.stderr.write(f"# {figure.key}: {figure.why}\n")
    except (AssertionError, OSError, TimeoutError) as error:
        sys.stderr.write(f"# {name} could not be measured: {error!r}\n")


def end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    with tempfile.TemporaryDirectory(prefix="pm-bench-") as directory:
        settings_of(Path(directory))
        run(sys.argv[1:])
