"""Secrets, configs and files that are no text: given in the form, kept to the byte, and told by what they are."""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from hashlib import sha256

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from dashboard.flows import revisions
from dashboard.flows.stacks import Wish, deploy_stack
from dashboard.models import Environment, Revision
from dashboard.operations.context import StepContext
from dashboard.operations.masking import secrets_of
from dashboard.operations.recorded import contents_of, files_of
from platform_manager.recipes.contents import LONGEST_CONFIG, LONGEST_SECRET
from tests import factories
from tests.views.deploy_world import element, opened, previewed, sent, text

pytestmark = pytest.mark.django_db
COMPOSE = """\
services:
  app:
    image: demo/app:1
    secrets: [store]
    configs: [cert, own]
secrets:
  store: {external: true}
configs:
  cert: {external: true}
  own: {file: ./own.gz}
"""
STORE = b"\xfe\xed\xfe\xed\x00\x00\x00\x02" + bytes(range(256))
CERT = b"\x30\x82\x01\x0a\r\n\xff\x00"
PACKED = b"\x1f\x8b\x08\x00" + bytes(range(255, -1, -1))
LINES = "grüße\r\nold Mac\rend".encode()
BY_SCRIPT = {
    "binary.secret.store": b64encode(STORE).decode(),
    "binary.config.cert": b64encode(CERT).decode(),
    "binary.file.own.gz": b64encode(PACKED).decode(),
}


@pytest.fixture
def shop(anna: User) -> Environment:
    made = factories.environment(anna, "Shop")
    factories.filled(made, hosts=1, stacks=0, services=1, tasks=1)
    return made


def upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("any.bin", data)


def deployed(client: Client, shop: Environment, name: str = "shop", **given: object) -> Revision:
    answer = sent(client, shop, "stack_deploy", name=name, compose=COMPOSE, **given)
    assert answer.status_code == 302, text(answer)
    shop.operations.update(state="succeeded")
    return Revision.objects.get(stack__name=name)


def kept(revision: Revision) -> list[bytes]:
    given = [contents_of(revision, kind) for kind in ("secrets", "configs")]
    return [given[0]["store"], given[1]["cert"], files_of(revision)["own.gz"]]


def test_files_that_the_script_read_and_files_that_come_by_themselves_are_kept_to_the_byte(
    client: Client, shop: Environment
) -> None:
    assert kept(deployed(client, shop, **BY_SCRIPT)) == [STORE, CERT, PACKED]
    given = {"secret.store": STORE, "config.cert": LINES, "file.own.gz": PACKED}
    files = {f"upload.{mark}": upload(data) for mark, data in given.items()}
    assert kept(deployed(client, shop, "other", **files)) == [STORE, LINES, PACKED]


def test_a_file_counts_before_what_was_typed(client: Client, shop: Environment) -> None:
    typed = {"secret.store": "typed", "config.cert": "typed", "file.own.gz": "typed"}
    given = typed | BY_SCRIPT | {"upload.file.own.gz": upload(LINES), "binary.config.cert": ""}
    assert kept(deployed(client, shop, **given)) == [STORE, b"typed", LINES]


def test_the_form_tells_what_came_and_shows_no_secret(client: Client, shop: Environment) -> None:
    asked = "config.cert secret.store file.own.gz"
    drawn = previewed(client, shop, name="shop", compose=COMPOSE, **BY_SCRIPT)
    typing = previewed(client, shop, name="shop", compose=COMPOSE, asked_names=asked, **BY_SCRIPT)
    for shown in (drawn, typing):
        assert "Binary, 264 bytes. <button" in shown
        assert f"Binary, 8 bytes, sha256 {sha256(CERT).hexdigest()}." in shown
        assert "Can be deployed" in shown
        assert sha256(STORE).hexdigest() not in shown
        assert BY_SCRIPT["binary.secret.store"] not in shown
    # Without scripts the form comes back whole, and what is no secret is still in it.
    refused = text(sent(client, shop, "stack_deploy", name="", compose=COMPOSE, **BY_SCRIPT))
    assert f'value="{BY_SCRIPT["binary.config.cert"]}"' in element(refused, "binary.config.cert")
    assert BY_SCRIPT["binary.secret.store"] not in refused
    assert 'name="upload.secret.store"' in refused
    assert "or choose a file" in refused


def test_text_in_a_field_keeps_its_first_line(client: Client, shop: Environment) -> None:
    """A browser drops one line end at the beginning of a text area."""
    refused = text(sent(client, shop, "stack_deploy", name="", compose=COMPOSE, **{"config.cert": "\nfirst"}))
    assert ">\n\nfirst</textarea>" in element(refused, "config.cert")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("binary.secret.store", "no base64", "Choose it once more"),
        ("binary.secret.store", "ä", "Choose it once more"),
        ("binary.secret.store", b64encode(bytes(LONGEST_SECRET + 1)).decode(), "secrets of at most 511,999 bytes"),
        ("secret.store", "x" * (LONGEST_SECRET + 1), "It has 512,000 bytes"),
        ("upload.secret.store", bytes(LONGEST_SECRET + 1), "It has 512,000 bytes"),
        ("upload.config.cert", bytes(LONGEST_CONFIG + 1), "configs of at most 1,023,999 bytes"),
        ("upload.config.cert", b"", "It is empty"),
    ],
)
def test_what_can_not_be_taken_is_told_at_its_field_with_the_limit(
    client: Client, shop: Environment, field: str, value: str | bytes, sentence: str
) -> None:
    kind = field.rpartition("secret.")[1] or "config."
    mark = f"{kind}{field.rpartition(kind)[2]}"
    others = {name: data for name, data in BY_SCRIPT.items() if not name.endswith(mark)}
    given = {field: upload(value) if isinstance(value, bytes) else value}
    answer = sent(client, shop, "stack_deploy", name="shop", compose=COMPOSE, **others, **given)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert not Revision.objects.exists()


def test_the_most_that_a_swarm_takes_is_taken(client: Client, shop: Environment) -> None:
    most = {"secret.store": LONGEST_SECRET, "config.cert": LONGEST_CONFIG}
    files = {f"upload.{mark}": upload(b"\xff" * size) for mark, size in most.items()}
    made = deployed(client, shop, **BY_SCRIPT, **files)
    assert [len(data) for data in kept(made)] == [LONGEST_SECRET, LONGEST_CONFIG, len(PACKED)]


def test_the_revision_says_what_they_are_and_an_update_keeps_them(client: Client, shop: Environment) -> None:
    revision = deployed(client, shop, **BY_SCRIPT)
    shown = text(client.get(reverse("stack_revision", args=[shop.pk, "shop", 1])))
    assert f"binary, 260 bytes, sha256 {sha256(PACKED).hexdigest()}" in shown
    assert f"binary, 8 bytes, sha256 {sha256(CERT).hexdigest()}" in shown
    assert "Secret <code>store</code>" in shown
    assert "binary, 264 bytes</div>" in shown
    assert "If blank: the file stays as it is (binary, 260 bytes)." in opened(client, shop, "stack_update", "shop")
    given = BY_SCRIPT | {"binary.file.own.gz": b64encode(STORE).decode()}
    assert sent(client, shop, "stack_update", "shop", compose=COMPOSE, **given).status_code == 302
    assert kept(Revision.objects.get(n=2)) == [STORE, CERT, STORE]
    assert kept(revision) == [STORE, CERT, PACKED]


def test_going_back_brings_the_very_bytes(client: Client, shop: Environment) -> None:
    deployed(client, shop, **BY_SCRIPT)
    other = {"secrets": {"store": CERT}, "configs": {"cert": STORE}, "files": {"own.gz": LINES}}
    deploy_stack(shop, shop.owner, Wish("shop", COMPOSE, **other), updating=True)  # type: ignore[arg-type]
    shop.operations.update(state="succeeded")
    revisions.roll_back(shop, shop.owner, Revision.objects.get(n=1).stack, 1)
    assert kept(Revision.objects.get(n=3)) == [STORE, CERT, PACKED]


def test_a_comparison_tells_size_and_digest_and_no_secret(client: Client, shop: Environment) -> None:
    deployed(client, shop, **BY_SCRIPT)
    other = {"secrets": {"store": b"words"}, "configs": {"cert": b"words"}, "files": {"own.gz": STORE}}
    deploy_stack(shop, shop.owner, Wish("shop", COMPOSE, **other), updating=True)  # type: ignore[arg-type]
    shown = text(client.get(reverse("stack_compare", args=[shop.pk, "shop"])))
    told = {
        "own.gz": f"Before: binary, 260 bytes, sha256 {sha256(PACKED).hexdigest()}. "
        f"Now: binary, 264 bytes, sha256 {sha256(STORE).hexdigest()}.",
        "config cert": f"Before: binary, 8 bytes, sha256 {sha256(CERT).hexdigest()}. "
        f"Now: text, 5 bytes, sha256 {sha256(b'words').hexdigest()}.",
        "secret store": "It holds a secret, and changed.",
    }
    found = revisions.compare(*Revision.objects.order_by("n"))
    assert {one.name: one.sentence for one in found.files} == told
    assert all(sentence in shown for sentence in told.values())


def test_an_export_has_the_very_bytes_and_says_how_the_rest_is_made(client: Client, shop: Environment) -> None:
    deployed(client, shop, **BY_SCRIPT)
    answer: HttpResponse = client.get(reverse("stack_export", args=[shop.pk, "shop", 1]))
    whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        found = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert (found["own.gz"], found["configs/cert"]) == (PACKED, CERT)
    assert STORE not in found.values()
    readme = found["README.txt"].decode()
    assert "docker config create cert configs/cert\n" in readme
    assert "docker secret create store FILE\n" in readme


def test_a_binary_secret_is_masked_as_programs_would_say_it(client: Client, shop: Environment) -> None:
    deployed(client, shop, **BY_SCRIPT)
    operation = shop.operations.get()
    said = b64encode(STORE).decode()
    assert secrets_of(operation) == [said]
    StepContext(operation, 1).log(f"data: {said} and no more")
    assert operation.logs.get(text__contains="no more").text == "data: *** and no more"
