"""``manage.py worker``: runs operations."""

from typing import Any

from django.core.management.base import BaseCommand

from dashboard.operations.dispatcher import Dispatcher
from dashboard.processes import run_until_told


class Command(BaseCommand):
    help = "Run operations until told to stop; several workers share the work."

    def handle(self, *args: Any, **options: Any) -> None:
        worker = Dispatcher()
        run_until_told(worker.start, worker.stop)
