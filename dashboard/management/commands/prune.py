"""``manage.py prune``: remove old rows now; the worker does so once a day by itself."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.models import AuditEntry
from dashboard.models.auditing import Origin, acting
from dashboard.operations.prune import LEAST_DAYS, PARTS, prune


class Command(BaseCommand):
    help = "Remove finished operations, deleted environments, gone workers and expired sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days", type=int, default=settings.PM_KEEP_DAYS, help="what ended longer ago is removed (PM_KEEP_DAYS)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < LEAST_DAYS:
            raise CommandError(f"--days must be at least {LEAST_DAYS}.")
        with acting(Origin(AuditEntry.Via.COMMAND)):
            for part in PARTS:
                self.stdout.write(f"{part}: {prune(part, options['days'])} rows removed")
