"""One revision of a stack, two of them side by side, and what going back to one would do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404

from dashboard.models import OperationState, Revision, Stack, StackState
from dashboard.operations.masking import MASK, secret_names

from .looks import Badge, badge_of
from .viewer import Viewer

SHORT_DIGEST = 12
COMPARED = 100


@dataclass(frozen=True)
class Image:
    """What a service runs: ``image`` as the file says, ``digest`` as the swarm resolved it, shortened."""

    service: str
    image: str
    digest: str
    pinned: bool


@dataclass(frozen=True)
class Answer:
    """``value`` is what may be shown of it."""

    name: str
    value: str
    secret: bool


def known_stack(viewer: Viewer, name: str) -> Stack:
    """Http404 where the platform knows no stack of this name."""
    found = viewer.environment.stacks.filter(name=name).first()
    if found is None:
        raise Http404("There is no such stack in this environment.")
    return found


def known_revision(stack: Stack, n: int) -> Revision:
    found = stack.revisions.select_related("author", "operation").filter(n=n).first()
    if found is None:
        raise Http404(f"The stack {stack.name} has no revision {n}.")
    return found


def revision_context(viewer: Viewer, name: str, n: int) -> dict[str, Any]:
    """The page of one revision."""
    stack = known_stack(viewer, name)
    revision = known_revision(stack, n)
    newest = stack.revisions.values_list("n", flat=True).first()
    return {
        **viewer.shared,
        "stack": stack,
        "revision": revision,
        "badge": badge_of(revision),
        "images": images_of(revision),
        "answers": answers_of(revision),
        "files": sorted(revision.files or {}),
        "newest": newest,
        "is_newest": revision.n == newest,
        "others": [other for other in numbers(stack) if other != revision.n],
        "earlier": earlier_than(stack, revision.n),
        "half_done": half_done(stack, revision),
    }


def numbers(stack: Stack) -> list[int]:
    """Of its revisions, the newest first."""
    return list(stack.revisions.values_list("n", flat=True)[:COMPARED])


def earlier_than(stack: Stack, n: int) -> int:
    """The number of the revision before; 0 for the first."""
    return stack.revisions.filter(n__lt=n).values_list("n", flat=True).first() or 0


def images_of(revision: Revision) -> list[Image]:
    """By service."""
    found = []
    for service, resolved in sorted(revision.digests.items()):
        image, _, digest = resolved.partition("@")
        found.append(Image(service, image, _shortened(digest), service in revision.pins))
    return found


def _shortened(digest: str) -> str:
    kind, _, value = digest.partition(":")
    return f"{kind}:{value[:SHORT_DIGEST]}" if value else ""


def answers_of(revision: Revision) -> list[Answer]:
    """By name; secret ones are masked."""
    given: Mapping[str, str] = revision.answers or {}
    secret = secret_names(given, revision.wishes)
    return [Answer(name, MASK if name in secret else value, name in secret) for name, value in sorted(given.items())]


def half_done(stack: Stack, revision: Revision) -> bool:
    """Whether the newest deployment stopped after it had made something."""
    stopped = revision.state in (StackState.FAILED, StackState.ROLLED_BACK)
    return stopped and bool(revision.made) and stack.state != StackState.REMOVING


def retryable(revision: Revision) -> bool:
    """Whether its operation can be repeated, which finishes what it began."""
    operation = revision.operation
    return operation is not None and operation.state in (OperationState.FAILED, OperationState.CANCELLED)


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """One deployment in the list of a stack's page; ``can_return`` where going back to it makes sense."""

    id: str
    n: int
    badge: Badge
    sentence: str
    origin: str
    came_from: int
    version: str
    by: str
    at: Any
    operation_id: Any
    newest: bool


def revision_rows(revisions: Iterable[Revision]) -> list[RevisionRow]:
    """Newest first, as given."""
    return [
        RevisionRow(
            id=f"revision-{one.pk}",
            n=one.n,
            badge=badge_of(one),
            sentence=one.sentence,
            origin=one.get_origin_display(),
            came_from=one.came_from or 0,
            version=one.version,
            by=one.author.get_username() if one.author else "",
            at=one.created_at,
            operation_id=one.operation_id,
            newest=place == 0,
        )
        for place, one in enumerate(revisions)
    ]
