"""Revisions: repeated, compared and taken away. What they do on a swarm is in tests/deployments."""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from typing import Any

import pytest

from dashboard.flows import revisions
from dashboard.flows.stacks import Wish, deploy_stack
from dashboard.models import AuditEntry, Catalog, Operation, OperationState, Origin, Revision, Snapshot, Stack
from platform_manager.errors import UserError
from platform_manager.swarm.snapshot import dump
from tests import factories

pytestmark = pytest.mark.django_db

WEB = """\
services:
  web:
    image: registry.example.org/web:1
    environment: {PASSWORD: "${PASSWORD}"}
"""
WITH_FILES = """\
version: "3.8"
services:
  web: {image: "registry.example.org/web:1"}
configs:
  settings: {file: ./settings.txt}
secrets:
  key: {file: ./key.txt}
"""


@pytest.fixture
def stack() -> Stack:
    """With three revisions; the first was resolved to a digest."""
    environment = factories.environment()
    factories.host(environment)
    made = factories.stack(environment, "shop", compose=WEB, answers={"PASSWORD": "s3cret-1"}, version="1.0")
    made.revisions.update(digests={"web": "registry.example.org/web:1@sha256:abc"}, version="0.9")
    factories.revision(made, 2, compose=WEB)
    factories.revision(made, 3, compose=WEB.replace("web:1", "web:2"), answers={"PASSWORD": "s3cret-3"}, version="1.0")
    return made


def newest(stack: Stack) -> Revision:
    found = stack.revisions.first()
    assert found is not None
    return found


def ended(operation: Operation) -> None:
    Operation.objects.filter(pk=operation.pk).update(state=OperationState.SUCCEEDED)


def test_going_back_repeats_a_revision_with_the_very_images_it_ran(stack: Stack) -> None:
    operation = revisions.roll_back(stack.environment, stack.environment.owner, stack, 1)

    made = newest(stack)
    assert (made.n, made.origin, made.came_from) == (4, Origin.ROLLBACK, 1)
    assert (made.compose, made.answers) == (WEB, {"PASSWORD": "s3cret-1"})
    assert made.pins == {"web": "registry.example.org/web:1@sha256:abc"}
    assert operation.title == "Roll stack shop back to revision 1"
    assert AuditEntry.objects.get(action="stack.rollback").detail["came_from"] == 1


def test_deploying_again_repeats_the_newest_and_looks_its_images_up_anew(stack: Stack) -> None:
    operation = revisions.redeploy(stack.environment, stack.environment.owner, stack)

    made = newest(stack)
    assert (made.n, made.origin, made.came_from, made.pins) == (4, Origin.REDEPLOY, 3, {})
    assert made.answers == {"PASSWORD": "s3cret-3"}
    assert operation.title == "Deploy stack shop again"


def test_what_is_repeated_still_comes_from_its_recipe(stack: Stack) -> None:
    catalog = Catalog.objects.create(name="Ours")
    recipe = catalog.recipes.create(key="shop", title="Shop")
    Stack.objects.filter(pk=stack.pk).update(source=recipe, recipe="Shop", version_digest="d")
    stack.revisions.filter(n=1).update(version_digest="before")
    stack.revisions.filter(n=3).update(version_digest="d")
    stack.refresh_from_db()

    ended(revisions.redeploy(stack.environment, stack.environment.owner, stack))
    stack.refresh_from_db()
    assert (stack.source, stack.recipe, stack.version, stack.version_digest) == (recipe, "Shop", "1.0", "d")

    revisions.roll_back(stack.environment, stack.environment.owner, stack, 1)
    stack.refresh_from_db()
    assert (stack.source, stack.version, stack.version_digest) == (recipe, "0.9", "before")


def test_going_back_within_one_version_goes_back_to_what_it_held_then(stack: Stack) -> None:
    """A version without a number of its own keeps its name while its content changes."""
    recipe = Catalog.objects.create(name="Ours").recipes.create(key="shop", title="Shop")
    recipe.versions.create(label="latest", digest="new", compose=WEB)
    Stack.objects.filter(pk=stack.pk).update(source=recipe, version="latest", version_digest="new")
    stack.revisions.update(version="latest", version_digest="new")
    stack.revisions.filter(n=1).update(version_digest="old")
    stack.refresh_from_db()

    revisions.roll_back(stack.environment, stack.environment.owner, stack, 1)

    stack.refresh_from_db()
    assert (stack.version, stack.version_digest) == ("latest", "old")
    assert newest(stack).version_digest == "old"


def test_what_left_with_its_catalog_is_not_said_to_run_after_going_back(stack: Stack) -> None:
    """The stack's recipe is gone; the number of its version is still told, and truly."""
    revisions.roll_back(stack.environment, stack.environment.owner, stack, 1)
    stack.refresh_from_db()
    assert (stack.source, stack.version) == (None, "0.9")


def test_what_was_made_for_a_stack_is_made_again_by_every_later_revision(stack: Stack) -> None:
    """An update asks only for what is missing; what was given before is missing again some day."""
    shared = """\
services:
  web: {image: "registry.example.org/web:1", networks: [front], secrets: [key]}
networks: {front: {external: true}, other: {external: true}}
secrets: {key: {external: true}}
"""
    stack.revisions.filter(n=3).update(
        wishes={"networks": ["front", "unused"], "volumes": []},
        contents={"secrets": {"key": "s3cret-key", "unused": "x"}, "configs": {}},
    )
    Snapshot.objects.update_or_create(
        environment=stack.environment,
        defaults={"networks": dump([factories.network("front")]), "secrets": '["key"]'},
    )
    stack.environment.refresh_from_db()

    deploy_stack(stack.environment, stack.environment.owner, Wish("shop", shared), updating=True)

    made = newest(stack)
    assert made.wishes["networks"] == ["front"]
    assert made.contents == {"secrets": {"key": "s3cret-key"}, "configs": {}}


@pytest.mark.parametrize(("n", "words"), [(7, "has no revision 7"), (3, "is the newest")])
def test_there_must_be_something_to_go_back_to(stack: Stack, n: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        revisions.roll_back(stack.environment, stack.environment.owner, stack, n)


def compared(stack: Stack, older: dict[str, Any], newer: dict[str, Any]) -> revisions.Comparison:
    first, second = factories.revision(stack, 10, **older), factories.revision(stack, 11, **newer)
    return revisions.compare(first, second)


def test_a_comparison_shows_changed_lines_images_and_answers(stack: Stack) -> None:
    old = {"compose": WEB, "answers": {"GREETING": "Hi", "OLD": "x"}, "digests": {"web": "a:1"}}
    new = {"compose": WEB.replace("web:1", "web:2"), "answers": {"GREETING": "Hello"}, "digests": {"web": "a:2"}}

    found = compared(stack, old, new)

    (diff,) = found.files
    assert diff.lines[:2] == ("--- revision 10", "+++ revision 11")
    assert "-    image: registry.example.org/web:1" in diff.lines
    assert "+    image: registry.example.org/web:2" in diff.lines
    assert [(one.name, one.before, one.after, one.word) for one in found.answers] == [
        ("GREETING", "Hi", "Hello", "changed"),
        ("OLD", "x", None, "removed"),
    ]
    assert [(one.before, one.after) for one in found.images] == [("a:1", "a:2")]


@pytest.mark.parametrize("written", ["./key.txt", "key.txt", "././key.txt", "conf/../key.txt"])
def test_no_secret_stands_in_a_comparison(stack: Stack, written: str) -> None:
    def revision(letter: str) -> dict[str, Any]:
        files = {"settings.txt": f"plain-{letter}", "key.txt": f"hidden-{letter}"}
        return {
            "compose": WITH_FILES.replace("./key.txt", written),
            "answers": {"PASSWORD": f"hidden-{letter}", "LICENCE": f"hidden-{letter}"},
            "files": {path: b64encode(text.encode()).decode() for path, text in files.items()},
            "wishes": {"secret_names": ["LICENCE"]},
        }

    found = compared(stack, revision("a"), revision("b"))

    assert "hidden" not in repr((found.files, found.answers, found.images))
    assert {one.name for one in found.answers} == {"LICENCE", "PASSWORD"}
    assert {one.name: one.sentence for one in found.files} == {
        "key.txt": "It holds a secret, and changed.",
        "settings.txt": "",
    }


def test_revisions_that_are_the_same_differ_in_nothing(stack: Stack) -> None:
    assert compared(stack, {"compose": WEB}, {"compose": WEB}).same


def test_an_overlay_that_came_is_shown_whole(stack: Stack) -> None:
    overlay = {"overlays": [{"name": "more.yml", "compose": "services: {extra: {image: a}}\n"}]}
    found = compared(stack, {"compose": WEB}, {"compose": WEB, **overlay})
    assert [(one.name, one.lines[-1]) for one in found.files] == [("more.yml", "+services: {extra: {image: a}}")]


def test_an_export_is_a_folder_of_files_without_secret_answers(stack: Stack) -> None:
    first = stack.revisions.get(n=1)
    with zipfile.ZipFile(io.BytesIO(revisions.export(first))) as archive:
        contents = {name: archive.read(name).decode() for name in archive.namelist()}
    assert "shop-1/docker-compose.yml" in contents
    assert not any("s3cret" in text for text in contents.values())


def test_a_recipe_that_leaves_while_it_is_deployed_is_no_hindrance(stack: Stack) -> None:
    recipe = Catalog.objects.create(name="Ours").recipes.create(key="shop", title="Shop")
    wish = Wish("shop", WEB, {"PASSWORD": "s3cret-4"}, source=recipe, version="1.0", recipe="Shop")
    Catalog.objects.all().delete()
    deploy_stack(stack.environment, stack.environment.owner, wish, updating=True)
    stack.refresh_from_db()
    assert (stack.source, stack.recipe, newest(stack).n) == (None, "Shop", 4)
