"""Why a deployment failed, in the words of its tasks: the last log lines of those that ended it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from dashboard.models import OperationLog, Revision
from platform_manager import wiring
from platform_manager.engines import registry
from platform_manager.engines.client import EngineClient
from platform_manager.engines.errors import EngineError
from platform_manager.errors import ProviderError
from platform_manager.swarm import failing, stacks
from platform_manager.swarm.failing import Culprit
from platform_manager.swarm.snapshot import Json, part, text
from platform_manager.swarm.tasks import image_error

from ..context import StepContext
from ..nodes.managers import on_manager
from .registry_auth import logins_of

ALL_SECONDS = 20.0


def tell_failures(
    context: StepContext,
    revision: Revision,
    services: Sequence[Json],
    tasks: Sequence[Json],
    status: stacks.StackStatus,
) -> list[dict[str, Any]]:
    """Write what the failing tasks said into the revision and the operation's log, without secrets; returns it."""
    found = failing.culprits(services, tasks, status)
    images = {text(task.get("ID"), 64): _image(task) for task in tasks}
    failures = [_failure(context, culprit, images.get(culprit.task_id, "")) for culprit in found]
    Revision.objects.filter(pk=revision.pk).update(failures=failures)
    context.changed()
    for failure in failures:
        where = f" on {failure['node']}" if failure["node"] else ""
        context.log(f"{failure['service']}{where}: {failure['error']}", OperationLog.Level.ERROR)
        if failure["lines"]:
            context.log(f"The last lines that {failure['service']} said:")
            context.log("\n".join(failure["lines"]), "output")
    return failures


def _failure(context: StepContext, culprit: Culprit, image: str) -> dict[str, Any]:
    lines, unhealthy = _said(context, culprit)
    error = culprit.error
    if unhealthy:
        error = f"{error.rstrip('.')}. Its last healthcheck failed: {unhealthy}"
    elif image_error(error) and image and (why := _refused(context, image)):
        error = f"{error.rstrip('.')}. The registry, asked by a manager: {why}"
    return failing.as_dict(culprit, context.masked(error), [context.masked(line) for line in lines])


def _said(context: StepContext, culprit: Culprit) -> tuple[list[str], str]:
    """The log's last lines and what its healthcheck said; nothing where its host does not answer."""
    host = context.environment.hosts.filter(node_id=culprit.node_id, link_up=True).first() if culprit.node_id else None
    if host is None:
        return [], ""
    engine = wiring.engine(host.pk)

    async def ask() -> tuple[list[str], str]:
        return await failing.last_lines(engine, culprit), await failing.said_unhealthy(engine, culprit)

    try:
        return context.run(ask(), ALL_SECONDS)
    except ProviderError:
        return [], ""


def _image(task: Json) -> str:
    return text(part(task, "Spec", "ContainerSpec", "Image"), 300)


def _refused(context: StepContext, image: str) -> str:
    """Why an image can't be had, which its host keeps to itself: what its registry tells a manager."""
    login = next((one for one in logins_of(context.environment) if one.server == registry.server_of(image)), None)

    async def ask(manager: EngineClient) -> str:
        headers = registry.header(login) if login else None
        try:
            async with asyncio.timeout(failing.SECONDS):
                await manager.get(f"/distribution/{image}/json", headers=headers)
        except EngineError as error:
            return error.detail
        except (TimeoutError, ValueError):
            return ""
        return ""

    try:
        return on_manager(context, ask, seconds=ALL_SECONDS)
    except ProviderError:
        return ""
