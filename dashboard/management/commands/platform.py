"""``manage.py platform``: web, worker and hub in one process on embedded defaults."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.flows.first_user import ensure_first_user
from dashboard.processes import run_everything
from platform_manager.errors import PlatformError


class Command(BaseCommand):
    help = "Run the whole platform in one process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="make a first user and say how to sign in")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        password = ensure_first_user("admin") if options["demo"] else None
        try:
            run_everything(lambda: self._ready(options["demo"], password))
        except PlatformError as error:
            raise CommandError(str(error)) from None

    def _ready(self, demo: bool, password: str | None) -> None:
        self.stdout.write(f"\nPlatform Manager answers at {settings.PM_URL}")
        if demo:
            known = "the password you chose" if password is None else f"one-time password: {password}"
            self.stdout.write(f"Sign in as: admin   {known}")
        self.stdout.write(f"Stop it with Ctrl-C. (process {os.getpid()})\n")
        self.stdout.flush()
