"""``manage.py web``: pages and websockets under gunicorn with uvicorn workers."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Serve pages and websockets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--workers", type=int, default=2)

    def handle(self, *args: Any, **options: Any) -> None:
        binds = [word for address in settings.PM_LISTEN for word in ("--bind", address)]
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "platform_manager.asgi:application",
            "--worker-class",
            "uvicorn_worker.UvicornWorker",
            "--workers",
            str(options["workers"]),
            "--graceful-timeout",
            "5",
            # PM_BEHIND_PROXY alone says whose word on a client's address and scheme counts.
            "--forwarded-allow-ips",
            "",
            *binds,
        ]
        os.execv(sys.executable, command)  # noqa: S606 (fixed words, no shell)
