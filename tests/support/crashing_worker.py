"""A worker that kills itself with SIGKILL once before and once after the work of every step.

"After" is the worst moment there is: the work is done and nothing says so. CRASH_MARKS is a directory that remembers
which moments have been used, so that the worker started next gets past them. The parent imports everything once and
forks a fresh worker whenever one died.
"""

import os
import signal
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_manager.settings")

import django

django.setup()

from dashboard.operations import catalogue, kinds  # noqa: E402
from dashboard.operations.context import StepContext  # noqa: E402
from dashboard.operations.dispatcher import Dispatcher  # noqa: E402
from dashboard.processes import run_until_told  # noqa: E402

MARKS = Path(os.environ["CRASH_MARKS"])


def die_once(moment: str) -> None:
    try:
        (MARKS / moment).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(kind: str, step: kinds.Step) -> kinds.Step:
    def run(context: StepContext) -> str | None:
        die_once(f"{kind}-{context.n}-{step.name}-before")
        said = step.run(context)
        die_once(f"{kind}-{context.n}-{step.name}-after")
        return said

    return replace(step, run=run)


if __name__ == "__main__":
    catalogue.load()
    for kind in list(kinds.all_kinds()):
        kinds.register(replace(kind, steps=tuple(deadly(kind.name, step) for step in kind.steps)))
    while os.fork():
        _, status = os.wait()
        if not os.WIFSIGNALED(status):
            raise SystemExit("the worker ended by itself")
    worker = Dispatcher()
    run_until_told(worker.start, worker.stop)
