"""Measure everything in one run on the same engines: a line a figure, ``KEY VALUE BAR ok|short``, on stdout.

Words on the command line choose measurements by their module's name; without any, all are made.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from math import nan
from pathlib import Path
from subprocess import SubprocessError
from types import FrameType, ModuleType

from websockets.exceptions import WebSocketException

from platform_manager.errors import PlatformError

from .figures import Figure, say


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
    from . import (
        catalogs,
        clouds,
        deploy_time,
        idle,
        links,
        log_delay,
        log_rate,
        operator_pages,
        pages,
        plans,
        stalled,
        state_delay,
    )
    from .bed import running_bed

    on_engines = (idle, deploy_time, log_rate, log_delay, state_delay, stalled, plans, pages)
    wanted = [module for module in on_engines if not chosen or name_of(module) in chosen]
    if wanted:
        with running_bed() as bed:
            for module in wanted:
                attempt(module, partial(module.measure, bed))
    if not chosen or "links" in chosen:
        attempt(links, links.measure)
    if not chosen or "clouds" in chosen:
        attempt(clouds, clouds.measure)
    if not chosen or "catalogs" in chosen:
        attempt(catalogs, catalogs.measure)
    if not chosen or "operator_pages" in chosen:
        attempt(operator_pages, operator_pages.measure)


def attempt(module: ModuleType, measure: Callable[[], list[Figure]]) -> None:
    """Print what a measurement gives; one that breaks is told and falls short, and the others go on."""
    say(f"measuring {name_of(module)}")
    try:
        figures = measure()
    except (AssertionError, OSError, WebSocketException, SubprocessError, PlatformError) as error:
        figures = [Figure(key, nan, bar, why=f"not measured: {error!r}") for key, bar in module.BARS.items()]
    for figure in figures:
        sys.stdout.write(f"{figure}\n")
        sys.stdout.flush()
        if not figure.ok and figure.why:
            sys.stderr.write(f"# {figure.key}: {figure.why}\n")


def name_of(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def end(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    with tempfile.TemporaryDirectory(prefix="pm-bench-") as directory:
        settings_of(Path(directory))
        run(sys.argv[1:])
