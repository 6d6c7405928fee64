"""What all parts of a deployment share: its revision, its state, and what of it the CLI is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from dashboard.models import Revision, Stack, StackState
from platform_manager import recipes
from platform_manager.errors import UserError
from platform_manager.recipes import document
from platform_manager.swarm import cluster, rotation

from ..context import StepContext
from ..recorded import recipe_of

SUPERSEDED_BY = "superseded_by"
"""In an operation's args, the number of the revision that takes the place of the one that it deploys."""

Renames = Mapping[tuple[str, str], str]


def revision_of(context: StepContext) -> Revision:
    revision = Revision.objects.select_related("stack").filter(pk=context.args["revision"]).first()
    if revision is None:
        raise UserError("The stack was removed before this deployment came to its turn.")
    return revision


def set_state(context: StepContext, revision: Revision, state: StackState, sentence: str = "") -> None:
    sentence = context.masked(sentence)
    if (revision.state, revision.sentence) == (state, sentence):
        return
    revision.state, revision.sentence = state, sentence
    Revision.objects.filter(pk=revision.pk).update(state=state, sentence=sentence)
    _staying(revision).update(state=state, sentence=sentence)
    context.changed()


def finish(revision: Revision) -> None:
    """It has ended: from now on the watcher keeps the stack's state."""
    now = timezone.now()
    Revision.objects.filter(pk=revision.pk).update(finished_at=now)
    _staying(revision).update(settled_at=now)
    revision.finished_at = now


def _staying(revision: Revision) -> QuerySet[Stack]:
    """The stack, unless somebody removes it or deploys a newer revision meanwhile: then that is what is told of it."""
    newer = Revision.objects.filter(stack=OuterRef("pk"), n__gt=revision.n)
    return Stack.objects.filter(pk=revision.stack_id).exclude(state=StackState.REMOVING).exclude(Exists(newer))


def prepared(context: StepContext, revision: Revision, renames: Renames | None = None) -> recipes.Prepared:
    """What the CLI is given; ``renames`` as :func:`platform_manager.swarm.rotation.renames` tells them.

    Not for coroutines: a large file takes seconds, and all operations share one event loop.
    """
    return recipes.prepare(
        recipe_of(revision),
        revision.answers or {},
        mtu=context.environment.swarm_mtu or cluster.DEFAULT_MTU,
        stack_name=revision.stack.name,
        pins=revision.pins,
        renames=dict(renames or {}),
    )


def declared_in(given: recipes.Prepared, stack: str) -> list[rotation.Declared]:
    """The secrets and configs that the stack makes from files."""
    merged: dict[str, dict[str, Any]] = {"secrets": {}, "configs": {}}
    for kind, entries in merged.items():
        for section in sections(given, kind):
            entries.update(section)
    return rotation.declared(merged, given.files, stack)


def sections(given: recipes.Prepared, section: str) -> Iterator[dict[str, Any]]:
    """The entries of a top-level section, of the compose file and of each file that is merged over it."""
    for text in (given.compose, *given.overlays):
        found = document.read(text).value.get(section)
        if isinstance(found, dict):
            yield found
