"""``manage.py rotate_keys``: secrets at rest under another key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.flows import keys
from dashboard.models import AuditEntry
from dashboard.models.auditing import Origin, acting
from platform_manager.errors import UserError

SHOWN = 5


class Command(BaseCommand):
    help = (
        "Encrypt every secret again that the first of PM_ENCRYPTION_KEYS did not write. It may be stopped and run "
        "again, and the platform may run meanwhile if it was started with the same keys."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--new", action="store_true", help="make a key, put it in front, and say what comes next")
        choice.add_argument("--forget", action="store_true", help="drop all keys but the first from their file")

    def handle(self, *args: Any, **options: Any) -> None:
        with acting(Origin(AuditEntry.Via.COMMAND)):
            if options["new"]:
                self._new()
            elif options["forget"]:
                self._forget()
            else:
                self._rotate()

    def _new(self) -> None:
        key = keys.new_key()
        if settings.PM_ENCRYPTION_KEYS_GIVEN:
            self.stdout.write(f"{key}\nPut it in front of the others in PM_ENCRYPTION_KEYS, with a comma after it.")
        else:
            self.stdout.write(f"A new key is the first line of {keys.place()}; the old ones are kept behind it.")
        self.stdout.write(
            "Restart every process of the platform, then run: manage.py rotate_keys. A process with the old keys "
            "only can't read what is written with the new one."
        )

    def _rotate(self) -> None:
        done = keys.rotate(self.stdout.write)
        self.stdout.write(f"{done.written} secrets written again, {done.current} had the first key already.")
        if done.unreadable:
            rows = list(dict.fromkeys(done.unreadable))
            some = ", ".join(rows[:SHOWN])
            more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
            raise CommandError(
                f"No key of {keys.place()} reads {some}{more}. {keys.UNREADABLE.format(place=keys.place())}"
            )
        if len(settings.PM_ENCRYPTION_KEYS) > 1:
            how = "take the old keys out of PM_ENCRYPTION_KEYS"
            if not settings.PM_ENCRYPTION_KEYS_GIVEN:
                how = "run manage.py rotate_keys --forget"
            self.stdout.write(f"Every secret is under the first key. Now {how}, and restart the platform.")

    def _forget(self) -> None:
        try:
            dropped = keys.forget_old_keys()
        except UserError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{dropped} old keys dropped. Restart the platform; keep them as long as old backups count.")
