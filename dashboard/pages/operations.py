"""Operations as pages: the list, one with its steps and log, and what changed since it was last sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string

from dashboard.models import (
    Environment,
    HostState,
    Operation,
    OperationLog,
    OperationState,
    OperationStep,
    Right,
    StackState,
    StepState,
)
from dashboard.models.permissions import right_for
from dashboard.operations import catalogue
from dashboard.operations.deploying.deploy_parts import SUPERSEDED_BY
from dashboard.operations.kinds import Kind, kind_of

from .host_tracks import STAGES, host_tracks, named_hosts
from .lists import QUERY_CAP, pages_of
from .live import Container, Page, Screen
from .viewer import Viewer

FIRST_LINES = 2_000
LINES_PER_MESSAGE = 500
HOST_KINDS = ("add_hosts", "remove_host", "start_host", "recreate_host", "change_role")


@dataclass(frozen=True)
class OperationRow:
    """One row of the list; compared by value to see whether it must be sent again."""

    id: str
    operation_id: UUID
    title: str
    state: str
    colour: str
    moving: bool
    sentence: str
    by: str
    step: str
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def elapsed(self) -> Any:
        return Operation(started_at=self.started_at, finished_at=self.finished_at).elapsed


def _row(operation: Operation, step: str) -> OperationRow:
    return OperationRow(
        id=f"operation-{operation.pk}",
        operation_id=operation.pk,
        title=operation.title,
        state=OperationState(operation.state).label,
        colour=operation.look.colour,
        moving=operation.look.moving,
        sentence=operation.look.sentence,
        by=str(operation.requested_by or "a former user"),
        step=step,
        error=operation.error,
        created_at=operation.created_at,
        started_at=operation.started_at,
        finished_at=operation.finished_at,
    )


def _found(viewer: Viewer, params: Mapping[str, str]) -> QuerySet[Operation]:
    operations = Operation.objects.filter(environment=viewer.environment)
    for word in params.get("q", "")[:QUERY_CAP].split():
        operations = operations.filter(
            Q(title__icontains=word)
            | Q(state__icontains=word)
            | Q(error__icontains=word)
            | Q(requested_by__username__icontains=word)
        )
    if params.get("state") in OperationState.values:
        operations = operations.filter(state=params["state"])
    return operations


def operations_page(viewer: Viewer, params: Mapping[str, str]) -> Page:
    """The operations of an environment, newest first. ``params``: q (words), state, p (page number)."""
    found = _found(viewer, params)
    pages = pages_of(found.count(), params)
    shown = list(found.select_related("requested_by")[pages.cut])
    running = OperationStep.objects.filter(operation__in=shown, state=StepState.RUNNING)
    steps = {step.operation_id: step.title for step in running}
    searched = bool(params.get("q") or params.get("state"))
    rows = Container(
        id="operation-rows",
        template="operations/row.html",
        rows=[_row(operation, steps.get(operation.pk, "")) for operation in shown],
        empty="operations/none.html",
        shared={"environment": viewer.environment, "searched": searched},
    )
    kept = {name: params[name] for name in ("q", "state", "p") if params.get(name)}
    context = {
        "environment": viewer.environment,
        "viewer": viewer,
        "operations": rows,
        "q": params.get("q", ""),
        "state": params.get("state", ""),
        "states": OperationState.choices,
        "pages": pages,
    }
    return Page("operations", "operations/list.html", context, kept)


def _kind(operation: Operation) -> Kind | None:
    catalogue.load()
    try:
        return kind_of(operation.kind)
    except KeyError:  # made by another release
        return None


def may_cancel(operation: Operation) -> bool:
    kind = _kind(operation)
    return not operation.finished and not operation.cancel_requested and (kind is None or kind.cancellable)


def may_retry(operation: Operation) -> bool:
    kind = _kind(operation)
    stopped = operation.state in (OperationState.FAILED, OperationState.CANCELLED)
    return stopped and kind is not None and kind.retryable and SUPERSEDED_BY not in operation.args


def _left_behind(operation: Operation) -> list[dict[str, Any]]:
    """What a stopped operation made and did not finish."""
    if operation.state not in (OperationState.FAILED, OperationState.CANCELLED):
        return []
    hosts = operation.environment.hosts.filter(pk__in=named_hosts(operation)).exclude(state=HostState.ACTIVE)
    revisions = operation.revisions.select_related("stack").exclude(stack__state=StackState.RUNNING)
    return [{"kind": "Host", "url": "host", "key": host.pk, "thing": host} for host in hosts] + [
        {"kind": "Stack", "url": "stack", "key": revision.stack.name, "thing": revision.stack} for revision in revisions
    ]


def _mend(operation: Operation, viewer: Viewer) -> str:
    """The stack whose file or answers may be why the deployment failed; "" where there is none to update."""
    if operation.kind != "deploy_stack" or operation.state != OperationState.FAILED or not viewer.may(Right.DEPLOY):
        return ""
    revision = operation.revisions.select_related("stack").first()
    return revision.stack.name if revision else ""


def _made(operation: Operation) -> dict[str, str]:
    """What a finished operation was about, as the name of an address, its key and words; empty when it is gone."""
    if operation.state != OperationState.SUCCEEDED or operation.environment.deleted_at is not None:
        return {}
    name = str(operation.args.get("stack", ""))
    if operation.kind == "deploy_stack" and name:
        return {"url": "stack", "key": name, "words": f"See stack {name}"}
    if operation.kind == "open_ports":
        return {"url": "ports", "words": "See the published ports"}
    return {"url": "hosts", "words": "See the hosts"} if operation.kind in HOST_KINDS else {}


def _next(operation: Operation, viewer: Viewer) -> dict[str, str]:
    """Where somebody goes on who has just got their first hosts; the deployment has its defaults filled in."""
    first = operation.kind == "add_hosts" and operation.state == OperationState.SUCCEEDED
    if not first or not viewer.may(Right.DEPLOY) or operation.environment.stacks.exists():
        return {}
    return {"url": "stack_deploy", "recipe": "whoami", "words": "Try it: deploy Who am I"}


def _parts(operation: Operation, viewer: Viewer) -> dict[str, Any]:
    """The context of the parts that change as the operation goes on."""
    allowed = viewer.may(right_for(operation.kind))
    stopped = operation.finished and operation.state != OperationState.SUCCEEDED
    failed = operation.steps.filter(state=StepState.FAILED).first() if stopped else None
    return {
        "operation": operation,
        "environment": operation.environment,
        "may_act": allowed,
        "can_cancel": allowed and may_cancel(operation),
        "can_retry": allowed and may_retry(operation),
        "failed_step": failed,
        "left_behind": _left_behind(operation),
        "mend": _mend(operation, viewer),
        "rolled_back": operation.revisions.filter(state=StackState.ROLLED_BACK).exists(),
        "made": _made(operation),
        "next": _next(operation, viewer),
        "retried_as": operation.retries.first() if stopped else None,
    }


def operation_context(viewer: Viewer, operation: Operation) -> dict[str, Any]:
    """The whole page of one operation, with the last lines of its log."""
    logs = OperationLog.objects.filter(operation=operation)
    newest = list(logs.order_by("-id")[: FIRST_LINES + 1])
    lines = newest[FIRST_LINES - 1 :: -1] if len(newest) > FIRST_LINES else newest[::-1]
    by_step: defaultdict[int, list[OperationLog]] = defaultdict(list)
    for line in lines:
        by_step[line.step].append(line)
    last = newest[0].pk if newest else 0
    live = "" if operation.finished else f"/ws/operations/{operation.pk}/?after={last}"
    return {
        **_parts(operation, viewer),
        "viewer": viewer,
        "hosts": host_tracks(operation),
        "stages": STAGES,
        "steps": [{"step": step, "lines": by_step[step.n]} for step in operation.steps.all()],
        "general_lines": by_step[0],
        "cut": FIRST_LINES if len(newest) > FIRST_LINES else 0,
        "live_url": live,
    }


def log_text(operation: Operation) -> Iterable[str]:
    """The whole log as lines of text, each with its newline."""
    titles = {step.n: step.title for step in operation.steps.all()}
    step = 0
    for line in OperationLog.objects.filter(operation=operation).iterator(chunk_size=2_000):
        if line.step != step:
            step = line.step
            yield f"== {titles.get(step, 'Operation')}\n"
        yield f"{line.at.isoformat(timespec='milliseconds')} {line.level:7} {line.text}\n"


def _add(message: dict[str, Any], more: dict[str, Any]) -> None:
    """Put the parts of another message into this one."""
    for part, content in more.items():
        there = message.get(part, type(content)())
        message[part] = there | content if isinstance(content, dict) else there + content


class Progress:
    """What one viewer has of one operation; :meth:`next` gives what is missing, a message at a time."""

    def __init__(self, operation_id: UUID, user: User, after: int) -> None:
        self.operation_id = operation_id
        self.user = user
        self.last = after
        self._shown: tuple[Any, ...] = ()
        self._steps: dict[int, tuple[Any, ...]] = {}
        self._hosts = Screen()

    def _operation(self) -> Operation | None:
        """Members go on watching when the operation deletes its own environment."""
        mine = Operation.objects.filter(environment__in=Environment.objects.seen_by(self.user))
        return mine.select_related("environment", "requested_by", "retry_of").filter(pk=self.operation_id).first()

    def allowed(self) -> bool:
        return self._operation() is not None

    def next(self) -> tuple[dict[str, Any] | None, bool]:
        """The next message (None: no longer a member) and whether more is waiting."""
        operation = self._operation()
        if operation is None:
            return None, False
        # The state is read before log and hosts: a finished operation changes neither any more.
        steps = list(operation.steps.all())
        lines = list(operation.logs.filter(id__gt=self.last).order_by("id")[: LINES_PER_MESSAGE + 1])
        more = len(lines) > LINES_PER_MESSAGE
        message = self._state(operation, steps)
        _add(message, self._hosts.changes(Page("operation", "", {"hosts": host_tracks(operation)})))
        message.setdefault("append", {}).update(self._lines(lines[:LINES_PER_MESSAGE]))
        message["last"] = self.last
        if operation.finished and not more:
            message["done"] = True
        return message, more

    def _state(self, operation: Operation, steps: list[OperationStep]) -> dict[str, Any]:
        message: dict[str, Any] = {}
        shown = (
            operation.state,
            operation.cancel_requested,
            operation.error,
            operation.environment.deleted_at,
        )
        if shown != self._shown:
            self._shown = shown
            message["contents"] = self._contents(operation)
        changed = []
        for step in steps:
            now = (step.state, step.attempt, step.error, step.started_at, step.finished_at)
            if self._steps.get(step.n) != now:
                self._steps[step.n] = now
                changed.append(step)
        if changed:
            # A step that the page lacks is appended, the head of one that it has is replaced.
            message["replace"] = [render_to_string("operations/step_head.html", {"step": step}) for step in changed]
            whole = [render_to_string("operations/step.html", {"step": step}) for step in changed]
            message["append"] = {"steps": "".join(whole)}
        return message

    def _contents(self, operation: Operation) -> dict[str, str]:
        viewer = Viewer(operation.environment, self.user, operation.environment.role_of(self.user))
        parts = _parts(operation, viewer)
        names = ("badge", "facts", "actions", "result")
        return {f"operation-{name}": render_to_string(f"operations/{name}.html", parts) for name in names}

    def _lines(self, lines: list[OperationLog]) -> dict[str, str]:
        by_step: defaultdict[int, list[OperationLog]] = defaultdict(list)
        for line in lines:
            by_step[line.step].append(line)
            self.last = line.pk
        return {
            f"step-{n}-log": render_to_string("operations/lines.html", {"lines": of_step})
            for n, of_step in by_step.items()
        }
