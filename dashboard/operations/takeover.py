"""Workflows that belong to no operation, such as upkeep, go on when their worker is gone."""

from __future__ import annotations

from dbos import DBOS

from dashboard.models import Worker

GOING_ON = ("PENDING", "ENQUEUED", "DELAYED")


def take_over(name: str, worker_id: str) -> None:
    """Go on here with the workflows of this name whose worker is gone; ``worker_id`` is this one."""
    alive = {worker_id, *Worker.objects.filter(gone=False).values_list("pk", flat=True)}
    pending = DBOS.list_workflows(name=name, status="PENDING", load_input=False, load_output=False)
    gone = {workflow.executor_id for workflow in pending if workflow.executor_id} - alive
    if gone:
        DBOS._recover_pending_workflows(sorted(gone))
