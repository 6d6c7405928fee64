"""One revision of a stack, two of them side by side, and what going back to one would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404

from dashboard.flows.revisions import compare
from dashboard.models import OperationState, Revision, Stack, StackState
from dashboard.operations.masking import MASK, secret_names
from dashboard.operations.recorded import contents_of, files_of, secret_files
from platform_manager.recipes.contents import described

from .looks import Badge, badge_of
from .viewer import Viewer

SHORT_DIGEST = 12
COMPARED = 100
LISTED = 20
REDEPLOY = "The newest revision is given to the swarm once more. What is as it should be stays as it is; {}."
FIXED = "images that it fixes to a digest stay those"
UNWELL = (StackState.FAILED, StackState.ROLLED_BACK, StackState.DEGRADED)


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


@dataclass(frozen=True)
class Kept:
    """A file of a revision, or what was given for an external secret or config; ``kind`` says which, "" a file."""

    name: str
    kind: str
    told: str


def kept_of(revision: Revision) -> list[Kept]:
    secret = secret_files(revision)
    files = [Kept(path, "", described(data, digest=path not in secret)) for path, data in files_of(revision).items()]
    for kind in ("configs", "secrets"):
        given = contents_of(revision, kind).items()
        files += [Kept(name, kind[:-1], described(data, digest=kind == "configs")) for name, data in given]
    return sorted(files, key=lambda one: (one.kind, one.name))


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
    images = images_of(revision)
    return {
        **viewer.shared,
        "stack": stack,
        "revision": revision,
        "badge": badge_of(revision),
        "images": images,
        # Without a digest a tag may stand for another image by now.
        "exact": bool(images) and all(image.digest for image in images),
        "answers": answers_of(revision),
        "files": kept_of(revision),
        "newest": newest,
        "is_newest": revision.n == newest,
        "others": [other for other in numbers(stack) if other != revision.n],
        "earlier": earlier_than(stack, revision.n),
        "failures": failures_of(revision),
        "under_way": under_way(stack),
        "trouble": trouble_of(stack) if revision.n == newest else [],
    }


def redeployment_context(viewer: Viewer, name: str) -> dict[str, Any]:
    """The page that asks whether the newest revision is deployed again."""
    stack = known_stack(viewer, name)
    revision = stack.revisions.first()
    pins = revision.pins if revision else {}
    words = REDEPLOY.format(FIXED if pins else "images are looked up anew")
    return {**viewer.shared, "stack": stack, "revision": revision, "words": words, "under_way": under_way(stack)}


def under_way(stack: Stack | None) -> Revision | None:
    """The newest revision while it is being deployed."""
    newest = stack.revisions.select_related("operation").first() if stack else None
    going = newest is not None and newest.operation is not None and not newest.operation.finished
    return newest if going else None


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


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that ended a deployment, and the last lines of its log."""

    service: str
    node: str
    error: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a stack's newest deployment left that did not end well.

    ``made`` is what the swarm holds of one that stopped half way; ``finish`` the operation that goes on with it when
    it is repeated, None where it can't be. ``good`` is the number of the last revision that ran, 0 where none did.
    ``sentence`` says why, where the stack's own does not. ``update`` says that some of what is there was there before.
    """

    id: str
    name: str
    n: int
    failures: tuple[Failure, ...]
    made: tuple[str, ...]
    finish: Any
    good: int
    sentence: str
    update: bool


def trouble_of(stack: Stack | None) -> list[Trouble]:
    """Of the newest revision: at most one."""
    revision = stack.revisions.select_related("operation").first() if stack else None
    if stack is None or revision is None or stack.state == StackState.REMOVING or revision.state not in UNWELL:
        return []
    # What came up after all, later than anybody waited, has no trouble any more.
    failures = failures_of(revision) if stack.state != StackState.RUNNING else ()
    if not failures and not revision.made:
        return []
    operation = revision.operation
    stopped = operation is not None and operation.state in (OperationState.FAILED, OperationState.CANCELLED)
    finish = operation.pk if operation is not None and stopped else None
    ran = stack.revisions.filter(n__lt=revision.n, state=StackState.RUNNING).values_list("n", flat=True).first()
    return [
        Trouble(
            id=f"trouble-{revision.pk}",
            name=stack.name,
            n=revision.n,
            failures=failures,
            made=tuple(revision.made),
            finish=finish,
            good=ran or 0,
            sentence=revision.sentence if revision.sentence != stack.sentence else "",
            update=any(not line.endswith("(created)") for line in revision.made),
        )
    ]


def failures_of(revision: Revision) -> tuple[Failure, ...]:
    return tuple(map(_failure, revision.failures))


def _failure(told: Mapping[str, Any]) -> Failure:
    service, node, error = (str(told.get(name, "")) for name in ("service", "node", "error"))
    return Failure(service, node, error, tuple(map(str, told.get("lines", ()))))


@dataclass(frozen=True)
class DiffLine:
    """``kind`` is added, removed, place (where in the file it is) or same."""

    kind: str
    text: str


@dataclass(frozen=True)
class ShownDiff:
    name: str
    lines: tuple[DiffLine, ...]
    sentence: str


def compare_context(viewer: Viewer, name: str, params: Mapping[str, str]) -> dict[str, Any]:
    """``params`` hold ``from`` and ``to``; the newest two where they name none."""
    stack = known_stack(viewer, name)
    there = numbers(stack)
    newer = _number(params.get("to", ""), there[0] if there else 0)
    older = _number(params.get("from", ""), earlier_than(stack, newer) or newer)
    pair = known_revision(stack, older), known_revision(stack, newer)
    found = compare(*pair)
    return {
        **viewer.shared,
        "stack": stack,
        "numbers": there,
        "older": pair[0],
        "newer": pair[1],
        "same": found.same,
        "answers": found.answers,
        "images": found.images,
        "files": [ShownDiff(one.name, tuple(map(_diff_line, one.lines[2:])), one.sentence) for one in found.files],
    }


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else otherwise


def _diff_line(line: str) -> DiffLine:
    """Of a unified diff."""
    kinds = {"+": "added", "-": "removed", "@": "place"}
    return DiffLine(kinds.get(line[:1], "same"), line)


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """One deployment in the list of a stack's page."""

    id: str
    n: int
    badge: Badge
    sentence: str
    origin: str
    came_from: int
    version: str
    by: str
    at: datetime
    newest: bool


def revision_rows(stack: Stack | None) -> list[RevisionRow]:
    """Newest first."""
    heavy = ("answers", "compose", "files", "overlays", "contents", "plan", "held_before")
    found = stack.revisions.select_related("author").defer(*heavy)[:LISTED] if stack else ()
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
            newest=place == 0,
        )
        for place, one in enumerate(found)
    ]
