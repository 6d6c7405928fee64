"""The recorded deployments of a stack: go back to one, repeat the newest, compare two, take one away as files."""

from __future__ import annotations

import difflib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from dashboard.models import Environment, Operation, Origin, Revision, Stack
from dashboard.operations import masking
from dashboard.operations.recorded import contents_of, exported, files_of, secret_files
from platform_manager.errors import UserError
from platform_manager.recipes.contents import described, text_of
from platform_manager.swarm.plan import Plan

from .plans import plan_stack
from .stacks import Wish, deploy_stack

# The compose file, each overlay and all other files together: beyond this they are told as changed, not line by line.
MOST_LINES = 5_000
CONTEXT_LINES = 3


def roll_back(environment: Environment, user: User, stack: Stack, n: int) -> Operation:
    """Deploy an earlier revision again, with the very images it ran. UserError where there is none to go back to."""
    revision = _earlier(stack, n)
    return _again(environment, user, revision, Origin.ROLLBACK, _images(revision))


def plan_of_roll_back(environment: Environment, stack: Stack, n: int) -> Plan:
    """What :func:`roll_back` would change; raises as ``plan_stack`` does."""
    revision = _earlier(stack, n)
    return plan_stack(environment, wish_of(revision), updating=True, pins=_images(revision))


def _earlier(stack: Stack, n: int) -> Revision:
    revision = stack.revisions.filter(n=n).first()
    if revision is None:
        raise UserError(f"{stack.name} has no revision {n}.")
    if not stack.revisions.filter(n__gt=n).exists():
        raise UserError(f"Revision {n} of {stack.name} is the newest: deploy it again instead.")
    return revision


def _images(revision: Revision) -> dict[str, str]:
    """By service, those that it ran."""
    resolved = {service: image for service, image in revision.digests.items() if "@" in image}
    return {**revision.pins, **resolved}


def redeploy(environment: Environment, user: User, stack: Stack) -> Operation:
    """Deploy the newest revision again: images are looked up anew, and what gave up is started again."""
    revision = _newest(stack)
    return _again(environment, user, revision, Origin.REDEPLOY, revision.pins)


def plan_of_redeployment(environment: Environment, stack: Stack) -> Plan:
    """What :func:`redeploy` would change; raises as ``plan_stack`` does."""
    revision = _newest(stack)
    return plan_stack(environment, wish_of(revision), updating=True, pins=revision.pins)


def _newest(stack: Stack) -> Revision:
    revision = stack.revisions.first()
    if revision is None:
        raise UserError(f"{stack.name} was never deployed by the platform: update it with a compose file.")
    return revision


def _again(
    environment: Environment, user: User, revision: Revision, origin: Origin, pins: Mapping[str, str]
) -> Operation:
    return deploy_stack(
        environment, user, wish_of(revision), updating=True, origin=origin, came_from=revision.n, pins=pins
    )


def wish_of(revision: Revision) -> Wish:
    """What was wished for with a revision, to be wished again."""
    stack = revision.stack
    return Wish(
        name=stack.name,
        compose=revision.compose,
        answers={str(name): str(value) for name, value in (revision.answers or {}).items()},
        overlays=tuple((overlay["name"], overlay["compose"]) for overlay in revision.overlays),
        files=files_of(revision),
        networks=frozenset(revision.wishes.get("networks", ())),
        volumes=frozenset(revision.wishes.get("volumes", ())),
        secrets=contents_of(revision, "secrets"),
        configs=contents_of(revision, "configs"),
        recipe=stack.recipe,
        source=stack.source,
        version=revision.version,
        version_digest=revision.version_digest,
        secret_names=frozenset(secret_names(revision)),
    )


def secret_names(revision: Revision) -> set[str]:
    """The answers whose values nobody is shown."""
    return masking.secret_names(revision.answers or {}, revision.wishes)


@dataclass(frozen=True)
class Changed:
    """One thing in two revisions; ``before`` or ``after`` is None where it has none. Secret values are words."""

    name: str
    before: str | None
    after: str | None

    @property
    def word(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True)
class FileDiff:
    """Lines of a unified diff, or the sentence that stands for them where they are not shown."""

    name: str
    lines: tuple[str, ...] = ()
    sentence: str = ""


@dataclass(frozen=True)
class Comparison:
    """What differs between two revisions; what is the same in both is left out."""

    older: Revision
    newer: Revision
    files: tuple[FileDiff, ...]
    answers: tuple[Changed, ...]
    images: tuple[Changed, ...]

    @property
    def same(self) -> bool:
        return not (self.files or self.answers or self.images)


def compare(older: Revision, newer: Revision) -> Comparison:
    """What differs; no secret value is in it."""
    pair = (older, newer)
    compose = _text_diff("compose file", older.compose, newer.compose, pair)
    overlays = [{str(one["name"]): str(one["compose"]) for one in revision.overlays} for revision in pair]
    merged = [_text_diff(name, overlays[0].get(name, ""), overlays[1].get(name, ""), pair) for name in _names(overlays)]
    return Comparison(
        older,
        newer,
        tuple(diff for diff in [compose, *merged, *_files(pair)] if diff is not None),
        tuple(_answers(pair)),
        tuple(_differing([older.digests, newer.digests])),
    )


def _names(maps: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({name for one in maps for name in one})


def _differing(maps: Sequence[Mapping[str, str]]) -> list[Changed]:
    before, after = maps
    return [
        Changed(name, before.get(name), after.get(name)) for name in _names(maps) if before.get(name) != after.get(name)
    ]


def _answers(pair: tuple[Revision, Revision]) -> Iterable[Changed]:
    hidden = secret_names(pair[0]) | secret_names(pair[1])
    for one in _differing([revision.answers or {} for revision in pair]):
        if one.name not in hidden:
            yield one
        else:
            yield Changed(one.name, one.before and "a secret value", one.after and "another secret value")


def _text_diff(name: str, before: str, after: str, pair: tuple[Revision, Revision]) -> FileDiff | None:
    if before == after:
        return None
    lines = [before.splitlines(), after.splitlines()]
    if max(map(len, lines)) > MOST_LINES:
        return FileDiff(name, sentence=f"It changed; it has more than {MOST_LINES} lines.")
    titles = [f"revision {revision.n}" for revision in pair]
    found = tuple(difflib.unified_diff(lines[0], lines[1], titles[0], titles[1], n=CONTEXT_LINES, lineterm=""))
    return FileDiff(name, found) if found else FileDiff(name, sentence="Only its line ends changed.")


def _kept(revision: Revision) -> tuple[dict[str, bytes], set[str]]:
    """The files of a revision and what was given for external secrets and configs; the names of those to hide."""
    secrets = {f"secret {name}": data for name, data in contents_of(revision, "secrets").items()}
    configs = {f"config {name}": data for name, data in contents_of(revision, "configs").items()}
    return {**files_of(revision), **secrets, **configs}, {*secret_files(revision), *secrets}


def _files(pair: tuple[Revision, Revision]) -> Iterable[FileDiff | None]:
    (before_all, hidden_before), (after_all, hidden_after) = map(_kept, pair)
    contents, hidden = [before_all, after_all], hidden_before | hidden_after
    left = MOST_LINES
    for path in _names(contents):
        before, after = contents[0].get(path), contents[1].get(path)
        if before == after:
            continue
        if path in hidden:
            yield FileDiff(path, sentence="It holds a secret, and changed.")
            continue
        texts = text_of(before or b""), text_of(after or b"")
        if texts[0] is None or texts[1] is None:
            yield FileDiff(path, sentence=f"Before: {_told(before)}. Now: {_told(after)}.")
            continue
        left -= max(text.count("\n") for text in texts if text is not None)
        if left < 0:
            yield FileDiff(path, sentence="It changed; the files together have too many lines to show.")
            continue
        yield _text_diff(path, texts[0], texts[1], pair)


def _told(data: bytes | None) -> str:
    return "none" if data is None else described(data)


def export(revision: Revision) -> bytes:
    """A zip of a folder that plain ``docker stack deploy`` takes; secret answers stay variables in it.

    Raises ComposeInvalid where the platform could not deploy it either.
    """
    files = exported(revision, secret_names(revision))
    folder, packed = f"{revision.stack.name}-{revision.n}", io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            info = zipfile.ZipInfo(f"{folder}/{path}", date_time=revision.created_at.timetuple()[:6])
            info.external_attr = 0o644 << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
