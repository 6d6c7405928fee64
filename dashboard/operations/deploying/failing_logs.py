"""Why a deployment failed, in the words of its tasks: the last log lines of those that ended it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dashboard.models import Revision
from platform_manager import wiring
from platform_manager.engines import registry
from platform_manager.engines.client import EngineClient
from platform_manager.engines.errors import EngineError
from platform_manager.errors import ProviderError
from platform_manager.swarm import causes, failing, stacks
from platform_manager.swarm.failing import Culprit
from platform_manager.swarm.snapshot import Json, part, text

from ..context import StepContext
from ..nodes.managers import on_manager
from .registry_auth import logins_of

ALL_SECONDS = 20.0
MISSING = (
    "{server} gives this image only to users who sign in, or has none of this name, and the environment has no "
    f"credentials for it. Add them at {causes.CREDENTIALS}, then deploy again."
)
REFUSED = (
    "{server} does not give this image to its user {user}: the user may not pull it, the password is no longer right, "
    f"or there is no image of this name. Check the name, and the credentials at {causes.CREDENTIALS}."
)
GIVEN = (
    "{server} gives the image to a manager, so look at the host of the task: its disk may be full, or the registry out "
    "of its reach or not trusted there. The log of its engine says which."
)


def tell_failures(
    context: StepContext,
    revision: Revision,
    services: Sequence[Json],
    tasks: Sequence[Json],
    status: stacks.StackStatus,
) -> list[dict[str, Any]]:
    """Write why tasks fail into the revision and their last lines into the log, without secrets; returns it."""
    found = failing.culprits(services, tasks, status)
    images = {text(task.get("ID"), 64): _image(task) for task in tasks}
    failures = [_failure(context, culprit, images.get(culprit.task_id, "")) for culprit in found]
    Revision.objects.filter(pk=revision.pk).update(failures=failures)
    context.changed()
    for failure in failures:
        # Its error stands in the sentence that ends the step.
        if failure["lines"]:
            where = f" on {failure['node']}" if failure["node"] else ""
            context.log(f"The last lines that {failure['service']} said{where}:")
            context.log("\n".join(failure["lines"]), "output")
    return failures


def _failure(context: StepContext, culprit: Culprit, image: str) -> dict[str, Any]:
    lines, further = _said(context, culprit)
    sentence, words = causes.plain(culprit.error), culprit.error
    if further:
        words = f"{words.rstrip('.')}. {further}"
        # What a healthcheck says is the container's word, and no engine's.
        sentence = causes.plain(words) if further.startswith(failing.OUT_OF_MEMORY) else sentence
    elif causes.is_image_error(words) and image and (asked := _asked(context, image)):
        sentence = asked.sentence
        words = f"{words.rstrip('.')}. The registry, asked by a manager: {asked.words}" if asked.words else words
    error = f"{sentence} The engine said: {words}" if sentence else words
    return failing.as_dict(culprit, context.masked(error), [context.masked(line) for line in lines])


def _said(context: StepContext, culprit: Culprit) -> tuple[list[str], str]:
    """The log's last lines and what else its host knows; nothing where that does not answer."""
    host = context.environment.hosts.filter(node_id=culprit.node_id, link_up=True).first() if culprit.node_id else None
    if host is None:
        return [], ""
    engine = wiring.engine(host.pk)

    async def ask() -> tuple[list[str], str]:
        lines: list[str] = []
        # A logging driver that can't be read keeps its lines, not how the container ended.
        with suppress(EngineError):
            lines = await failing.last_lines(engine, culprit)
        return lines, await failing.further(engine, culprit)

    try:
        return context.run(ask(), ALL_SECONDS)
    except ProviderError:
        return [], ""


def _image(task: Json) -> str:
    return text(part(task, "Spec", "ContainerSpec", "Image"), 300)


@dataclass(frozen=True)
class _Asked:
    """What a registry told a manager about an image: a plain sentence, and the manager's words where it refused."""

    sentence: str
    words: str = ""


def _asked(context: StepContext, image: str) -> _Asked | None:
    """Why an image can't be had, which its host keeps to itself; None where a manager does not know it either."""
    server = registry.server_of(image)
    login = next((one for one in logins_of(context.environment) if one.server == server), None)

    async def ask(manager: EngineClient) -> _Asked | None:
        headers = registry.header(login) if login else None
        try:
            async with asyncio.timeout(failing.SECONDS):
                await manager.get(f"/distribution/{image}/json", headers=headers)
        except EngineError as error:
            return _Asked(_refusal(error.detail, server, login), error.detail) if error.detail else None
        except (TimeoutError, ValueError):
            return None
        return _Asked(GIVEN.format(server=server))

    try:
        return on_manager(context, ask, seconds=ALL_SECONDS)
    except ProviderError:
        return None


def _refusal(words: str, server: str, login: registry.Login | None) -> str:
    if not causes.DENIED.search(words):
        return causes.pulling(words) or causes.NOT_PULLED
    return REFUSED.format(server=server, user=login.user) if login else MISSING.format(server=server)
