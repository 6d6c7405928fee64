"""``manage.py clean_local``: remove all machines, networks and volumes this installation made with the local driver."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from platform_manager import wiring
from platform_manager.clouds.local import LocalDriver
from platform_manager.errors import PlatformError


class Command(BaseCommand):
    help = "Destroy every nested engine of this installation, with its networks and volumes."

    def handle(self, *args: Any, **options: Any) -> None:
        driver = wiring.driver("local")
        if isinstance(driver, LocalDriver):
            try:
                wiring.run(driver.cleanup_all(), seconds=600)
            except PlatformError as error:
                raise CommandError(str(error)) from None
        self.stdout.write("local machines, networks and volumes are gone")
