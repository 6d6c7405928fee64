"""``manage.py hub``: serves the links of hosts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard.processes import HubThread, run_until_told
from platform_manager.errors import PlatformError


class Command(BaseCommand):
    help = "Serve the links of hosts and watch their engines until told to stop."

    def handle(self, *args: Any, **options: Any) -> None:
        hub = HubThread()
        try:
            run_until_told(hub.start, hub.stop)
        except PlatformError as error:
            raise CommandError(str(error)) from None
