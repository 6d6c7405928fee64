"""A worker: claims queued operations, one at a time per environment, and takes over those of dead workers.

The outbox is the operations table itself: a row in state ``queued`` is work to do. Claiming it is one conditional
update, and the database refuses a second running operation in an environment.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dbos import DBOS, DBOSConfig, SetWorkflowID
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, close_old_connections, connections, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from dashboard.catalogs.watch import CatalogWatch
from dashboard.models import Operation, OperationState, Worker

from . import catalogue, runner
from .clouds.cleanup import Cleanups
from .clouds.cloud_watch import CloudWatch
from .takeover import GOING_ON
from .upkeep import Upkeep
from .wake import bell

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger("platform.worker")

# Bump only when running operations of the release before can't be continued, after draining them.
WORKFLOW_VERSION = "1"
IDLE_SECONDS = 0.5
BEAT_SECONDS = 5.0


class Dispatcher:
    """One worker of this process; :meth:`start` returns at once, :meth:`stop` leaves running work to be taken over."""

    def __init__(self) -> None:
        self.machine = machine()
        self.id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._upkeep = Upkeep(self.id)
        self._cleanups = Cleanups(self.id)
        self._clouds = CloudWatch()
        self._catalogs = CatalogWatch()
        self._beat_at = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="dispatcher", daemon=True)

    def start(self) -> None:
        catalogue.load()
        config: DBOSConfig = {
            "name": "platform-manager",
            "system_database_url": settings.PM_DBOS_URL,
            "executor_id": self.id,
            "application_version": WORKFLOW_VERSION,
            "log_level": "WARNING",
            "console_log_level": "WARNING",
            "max_executor_threads": settings.PM_WORKER_SLOTS * 2,
        }
        DBOS(config=config)
        DBOS.launch()
        Worker.objects.create(id=self.id, machine=self.machine, pid=os.getpid(), last_seen=timezone.now())
        self._thread.start()
        self._clouds.start()
        self._catalogs.start()

    def stop(self) -> None:
        """End this worker; what it was running is free for others at once."""
        self._stopping.set()
        bell.set()
        self._thread.join(timeout=10)
        self._clouds.stop()
        self._catalogs.stop()
        DBOS.destroy(workflow_completion_timeout_sec=0)
        Worker.objects.filter(pk=self.id).update(gone=True)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self._go_on_after(self._beat_in_time)
            self._go_on_after(self._claim)
            self._go_on_after(self._cleanups.look)
            self._go_on_after(self._upkeep.look)
            bell.wait(IDLE_SECONDS)
            bell.clear()
        connections.close_all()

    def _go_on_after(self, work: Callable[[], None]) -> None:
        try:
            close_old_connections()
            work()
        except (OperationalError, InterfaceError) as error:
            log.warning("database away, trying again: %s", error)
        except Exception:
            # A worker that stops looking would leave every operation waiting, and nobody would see why.
            log.exception("the worker failed, going on")

    def _beat_in_time(self) -> None:
        if not self._beat_at or time.monotonic() - self._beat_at >= BEAT_SECONDS:
            self._beat_at = time.monotonic()
            self._beat()

    def _beat(self) -> None:
        Worker.objects.filter(pk=self.id).update(last_seen=Now(), gone=False)
        for dead in self._dead():
            log.info("taking over the work of %s", dead.pk)
            DBOS._recover_pending_workflows([dead.pk])
            Worker.objects.filter(pk=dead.pk).update(gone=True)
        self._adopt()

    def _dead(self) -> Iterable[Worker]:
        """Workers that stopped beating, and workers of this machine whose process is gone."""
        late = Q(last_seen__lt=Now() - timedelta(seconds=settings.PM_WORKER_TTL))
        running = Operation.objects.filter(worker=OuterRef("pk"), state=OperationState.RUNNING)
        for worker in Worker.objects.exclude(pk=self.id).filter(Q(gone=False) | Exists(running)):
            late_now = Worker.objects.filter(late, pk=worker.pk).exists()
            if worker.gone or late_now or (worker.machine == self.machine and not _alive(worker.pid)):
                yield worker

    def _adopt(self) -> None:
        """Make running operations of gone workers ours; start those whose workflow was never begun."""
        orphans = Operation.objects.filter(state=OperationState.RUNNING).filter(Q(worker=None) | Q(worker__gone=True))
        for operation in orphans:
            adopted = Operation.objects.filter(pk=operation.pk, worker=operation.worker_id).update(worker=self.id)
            if adopted:
                self._start(operation)
        self._close_broken()

    def _close_broken(self) -> None:
        """Our rows whose workflow never began begin; those whose workflow ended without telling them end."""
        for operation in Operation.objects.filter(state=OperationState.RUNNING, worker=self.id):
            status = DBOS.get_workflow_status(str(operation.pk))
            if status is None:
                self._start(operation)
            elif status.status not in GOING_ON:
                runner.abandon(operation.pk)

    def _claim(self) -> None:
        busy = Operation.objects.filter(state=OperationState.RUNNING)
        slots = settings.PM_WORKER_SLOTS - busy.filter(worker=self.id).count()
        queued = Operation.objects.filter(state=OperationState.QUEUED)
        changing = busy.filter(environment=OuterRef("environment"), watching=False)
        oldest = queued.exclude(Exists(changing)).order_by("id")
        seen = set()
        for operation in oldest[:200]:
            if slots <= 0:
                return
            if operation.environment_id in seen:
                continue
            seen.add(operation.environment_id)
            if self._take(operation):
                slots -= 1
                self._start(operation)

    def _take(self, operation: Operation) -> bool:
        try:
            with transaction.atomic():
                taken = Operation.objects.filter(pk=operation.pk, state=OperationState.QUEUED).update(
                    state=OperationState.RUNNING, worker=self.id, started_at=timezone.now()
                )
        except IntegrityError:
            return False
        return bool(taken)

    def _start(self, operation: Operation) -> None:
        """Begin the workflow; nothing happens where one of this id is already begun."""
        if DBOS.get_workflow_status(str(operation.pk)) is not None:
            return
        with SetWorkflowID(str(operation.pk)):
            DBOS.start_workflow(runner.run_operation, str(operation.pk))


def machine() -> str:
    """Where process ids mean the same: one boot of one machine, and in it one container. Host names repeat."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{socket.gethostname()}/{secrets.token_hex(8)}"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
