"""A worker that is started again whenever it was killed; WORKER_PID names a file with its process id.

With CRASH_MARKS it also kills itself around the work of every step, as tests.support.crashing_worker does. The parent
imports everything once and forks.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_manager.settings")

import django

django.setup()

import platform_manager.clouds.openstack.driver  # noqa: E402, F401 - half a second that each fork would need
from dashboard.operations import catalogue, kinds  # noqa: E402
from dashboard.operations.dispatcher import Dispatcher  # noqa: E402
from dashboard.processes import run_until_told  # noqa: E402

if __name__ == "__main__":
    catalogue.load()
    if os.environ.get("CRASH_MARKS"):
        from tests.support.crashing_worker import deadly

        for kind in list(kinds.all_kinds()):
            kinds.register(replace(kind, steps=tuple(deadly(kind.name, step) for step in kind.steps)))
    while os.fork():
        _, status = os.wait()
        if not os.WIFSIGNALED(status):
            raise SystemExit("the worker ended by itself")
    Path(os.environ["WORKER_PID"]).write_text(str(os.getpid()))
    worker = Dispatcher()
    run_until_told(worker.start, worker.stop)
