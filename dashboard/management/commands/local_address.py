"""``manage.py local_address``: the address under which nested engines of this machine reach the platform."""

from typing import Any

from django.core.management.base import BaseCommand

from dashboard.operations.hosts.addresses import platform_address
from platform_manager import wiring


class Command(BaseCommand):
    help = "Print the address of this machine as local hosts see it."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(platform_address(lambda call: wiring.run(call, 30)))
