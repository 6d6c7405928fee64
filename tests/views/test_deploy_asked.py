"""What a recipe lacks and the deploy form offers: networks and volumes to make, secrets, configs and files to give."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.models import Environment, PlatformSettings, Revision
from dashboard.operations.masking import secrets_of
from tests import factories
from tests.views.deploy_world import element, opened, previewed, recipe, sent, text, version

pytestmark = pytest.mark.django_db
COMPOSE = """\
services:
  app:
    image: demo/app:1
    networks: [lost]
    volumes: ["data:/data"]
    secrets: [key]
    configs: [page, own]
networks:
  lost: {external: true}
volumes:
  data: {external: true}
secrets:
  key: {external: true}
configs:
  page: {external: true}
  own: {file: ./conf/own.json}
"""
TICKED = {"create_network": "lost", "create_volume": "data"}
GIVEN = {"secret.key": "hidden\r\nkey", "config.page": "<b>page</b>", "file.conf/own.json": '{"a": 1}'}


@pytest.fixture
def shop(anna: User) -> Environment:
    made = factories.environment(anna, "Shop", swarm_mtu=1400)
    factories.filled(made, hosts=3, stacks=0, services=1, tasks=1)
    return made


@pytest.fixture
def typed(shop: Environment) -> dict[str, str]:
    return {"name": "shop", "compose": COMPOSE}


def test_what_is_lacking_is_offered_and_asked_for(client: Client, shop: Environment, typed: dict[str, str]) -> None:
    shown = previewed(client, shop, **typed)
    assert "Create the network <code>lost</code> (attachable overlay, MTU 1400)" in shown
    assert "Create the volume <code>data</code>" in shown
    assert all(element(shown, name).startswith("<textarea") for name in GIVEN)
    assert "Not yet" in shown
    assert "3 answers to go" in previewed(client, shop, **typed, **TICKED)
    assert "Can be deployed" in previewed(client, shop, **typed, **TICKED, **GIVEN)


def test_it_is_recorded_and_the_secret_is_never_shown(client: Client, shop: Environment, typed: dict[str, str]) -> None:
    pages = [previewed(client, shop, **typed, **GIVEN)]
    refused = sent(client, shop, "stack_deploy", **typed, **GIVEN)
    assert refused.status_code == 422
    # Nothing is lost but the secret, which stays in the browser only where it has scripts.
    assert "&lt;b&gt;page" in element(text(refused), "config.page")
    pages.append(text(refused))
    assert sent(client, shop, "stack_deploy", **typed, **TICKED, **GIVEN).status_code == 302
    revision = Revision.objects.get()
    assert revision.wishes == {"networks": ["lost"], "volumes": ["data"], "secret_names": [], "anew": False}
    assert revision.contents == {"secrets": {"key": "hidden\nkey"}, "configs": {"page": "<b>page</b>"}}
    assert b64decode(revision.files["conf/own.json"]) == b'{"a": 1}'
    assert secrets_of(shop.operations.get()) == ["hidden\nkey"]
    pages += [opened(client, shop, "stack_update", "shop"), opened(client, shop, "stack", "shop")]
    assert [page for page in pages if "hidden\nkey" in page or "hidden\r\nkey" in page] == []


def test_what_is_not_given_stands_at_its_field(client: Client, shop: Environment, typed: dict[str, str]) -> None:
    shown = text(sent(client, shop, "stack_deploy", **typed, **TICKED, **{"secret.key": "x"}))
    assert shown.count("This must be given.") == 2
    large = text(sent(client, shop, "stack_deploy", **typed, **TICKED, **(GIVEN | {"secret.key": "x" * 512_000})))
    assert "It has 512,000 bytes: a swarm takes secrets of at most 511,999 bytes." in large
    assert not Revision.objects.exists()


def test_content_that_nothing_asks_for_is_left_out(client: Client, shop: Environment) -> None:
    typed = {"name": "shop", "compose": "services: {app: {image: demo/app}}"}
    stray = {"secret.other": "x", "file.../../etc/passwd": "x", "config.page": "x", **TICKED}
    assert sent(client, shop, "stack_deploy", **typed, **stray).status_code == 302
    revision = Revision.objects.get()
    assert (revision.files, revision.contents) == ({}, {"secrets": {}, "configs": {}})
    assert revision.wishes["networks"] == []


def test_a_file_of_the_recipe_can_be_replaced_on_an_update(client: Client, shop: Environment) -> None:
    compose = "services: {app: {image: a, configs: [own]}}\nconfigs: {own: {file: own.json}}\n"
    made = version(recipe(), "1", (), compose=compose, files={"own.json": b64encode(b"old words").decode()})
    assert sent(client, shop, "stack_deploy", version=made.pk, name="shop").status_code == 302
    shop.operations.update(state="succeeded")
    shown = opened(client, shop, "stack_update", "shop")
    assert "Replace a file of the recipe" in shown
    assert "old words" not in shown
    assert sent(client, shop, "stack_update", "shop", **{"file.own.json": ""}).status_code == 302
    shop.operations.update(state="succeeded")
    assert sent(client, shop, "stack_update", "shop", **{"file.own.json": "new words"}).status_code == 302
    kept = [b64decode(one.files["own.json"]) for one in Revision.objects.order_by("n")]
    assert kept == [b"old words", b"old words", b"new words"]


def test_fields_are_drawn_again_only_where_others_are_asked(
    client: Client, shop: Environment, typed: dict[str, str]
) -> None:
    asked = " ".join(GIVEN)
    drawn = previewed(client, shop, **typed, asked_names=asked)
    assert not element(drawn, "secret.key")
    assert element(previewed(client, shop, **typed, asked_names=""), "secret.key")


def test_a_danger_says_what_it_means_and_what_an_operator_forbids(client: Client, shop: Environment) -> None:
    compose = 'services: {app: {image: a, volumes: ["/var/run/docker.sock:/var/run/docker.sock"]}}'
    shown = previewed(client, shop, name="shop", compose=compose)
    assert "Danger" in shown
    assert "may reach the host itself" in shown
    assert "Can be deployed" in shown
    PlatformSettings.objects.create(forbid_docker_socket=True)
    assert "This platform does not allow" in previewed(client, shop, name="shop", compose=compose)
    assert sent(client, shop, "stack_deploy", name="shop", compose=compose).status_code == 422


def test_a_network_that_can_not_change_is_made_anew_with_its_stack(client: Client, shop: Environment) -> None:
    compose = "version: '3.8'\nservices: {web: {image: 'demo/app:1'}}\n"
    stack = factories.stack(shop, "shop", compose=compose)
    factories.snapshot(
        shop, nodes=[factories.node(1)], networks=[factories.network("shop_default", mtu=1300, stack="shop")]
    )
    offered = opened(client, shop, "stack_update", "shop")
    assert "Remove the stack first, and make it anew" in offered
    assert "can&#x27;t be changed to 1400" in offered
    ticked = previewed(client, shop, updating="shop", compose=compose, anew="yes")
    assert "can&#x27;t be changed" not in ticked
    assert element(ticked, "anew").endswith("checked>")
    assert sent(client, shop, "stack_update", "shop", compose=compose, anew="yes").status_code == 302
    assert stack.revisions.first().wishes["anew"] is True  # type: ignore[union-attr]


def test_a_stack_that_needs_no_such_thing_is_not_offered_it(client: Client, shop: Environment) -> None:
    factories.stack(shop, "shop", compose="services: {web: {image: 'demo/app:1'}}\n")
    assert "make it anew" not in opened(client, shop, "stack_update", "shop")
