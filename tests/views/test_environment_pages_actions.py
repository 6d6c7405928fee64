"""What members change on the pages of an environment: hosts and stacks."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from dashboard.models import Environment, HostRole, HostState, Revision
from tests import factories

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def shop(anna: User) -> Environment:
    made = factories.environment(anna, "Shop")
    factories.filled(made, hosts=3, stacks=0, services=1, tasks=1)
    return made


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


def post(client: Client, page: str, environment: Environment, /, *args: object, **data: Any) -> HttpResponse:
    htmx = data.pop("htmx", False)
    address = reverse(page, args=[environment.pk, *args])
    answer: HttpResponse = client.post(address, data, headers=HTMX if htmx else {})
    return answer


def planned(client: Client, environment: Environment, **query: str) -> str:
    return text(client.get(reverse("hosts_plan", args=[environment.pk]), query, headers=HTMX))


def test_the_plan_says_the_result_before_the_button(client: Client, anna: User) -> None:
    shown = planned(client, factories.environment(anna), prefix="fw", quantity="3")
    for words in ("3 hosts:", "fw-01 to fw-03", "3 will be managers"):
        assert words in shown


@pytest.mark.parametrize(
    ("prefix", "quantity", "field", "sentence"),
    [
        ("fw", "1000", "quantity", "1000 hosts can&#x27;t be added at once"),
        ("fw", "0", "quantity", "0 hosts can&#x27;t be added"),
        ("fw", "many", "quantity", "Write the number of hosts in digits"),
        ("Fire Wall", "3", "prefix", "lower-case letters"),
        ("x" * 70, "3", "prefix", "70 characters"),
        ("", "3", "prefix", "Give the hosts a prefix"),
    ],
)
def test_bad_input_stands_at_its_field_and_is_kept(
    client: Client, shop: Environment, prefix: str, quantity: str, field: str, sentence: str
) -> None:
    while_typing = planned(client, shop, prefix=prefix, quantity=quantity)
    assert sentence in while_typing.split(f'id="{field}-error"')[1].split("</div>")[0]
    answer = post(client, "hosts_add", shop, driver="local", prefix=prefix, quantity=quantity)
    assert answer.status_code == 422
    assert sentence in text(answer).split(f'id="{field}-error"')[1].split("</div>")[0]
    assert f'value="{prefix}"' in text(answer)
    assert shop.hosts.count() == 3


def test_adding_hosts_leads_to_the_operation(client: Client, shop: Environment) -> None:
    answer = post(client, "hosts_add", shop, driver="local", prefix="fw", quantity="2")
    operation = shop.operations.get()
    assert answer["Location"] == reverse("operation", args=[shop.pk, operation.pk])
    assert shop.hosts.count() == 5


def test_the_only_manager_is_not_removed_but_a_way_is_offered(client: Client, anna: User) -> None:
    environment = factories.environment(anna, managers=1)
    manager = factories.host(environment, "fw-01", role=HostRole.MANAGER)
    worker = factories.host(environment, "fw-02")
    shown = text(client.get(reverse("host_remove", args=[environment.pk, manager.pk])))
    assert "only manager" in shown
    assert reverse("host_promote", args=[environment.pk, worker.pk]) in shown
    assert reverse("hosts_add", args=[environment.pk]) in shown
    assert post(client, "host_remove", environment, manager.pk).status_code == 422
    assert not environment.operations.exists()
    post(client, "host_promote", environment, worker.pk)
    assert environment.operations.get().title == "Promote fw-02 to manager"


def test_removing_twice_is_refused_with_a_sentence(client: Client, anna: User) -> None:
    environment = factories.environment(anna, managers=1)
    factories.host(environment, "fw-01", role=HostRole.MANAGER)
    worker = factories.host(environment, "fw-02", state=HostState.ACTIVE)
    assert post(client, "host_remove", environment, worker.pk).status_code == 302
    again = post(client, "host_remove", environment, worker.pk)
    assert again.status_code == 422
    assert "being removed already" in text(again)


def preview(client: Client, environment: Environment, /, **data: Any) -> str:
    answer = post(client, "stack_preview", environment, htmx=True, **data)
    assert answer.status_code == 200
    return text(answer)


def test_recipes_fill_the_form(client: Client, shop: Environment) -> None:
    address = reverse("stack_deploy", args=[shop.pk])
    assert "?recipe=whoami" in text(client.get(address))
    shown = text(client.get(address, {"recipe": "whoami"}))
    assert "127.0.0.1:1/whoami:1" in shown
    assert 'name="answer.PORT"' in shown


def test_the_preview_shows_services_variables_and_warnings(client: Client, shop: Environment) -> None:
    shown = preview(client, shop, name="shop", compose=factories.COMPOSE)
    for words in ("demo/whoami:1.0", "8080:80/tcp", "Can be deployed", "shop_default", "ADMIN_PASSWORD has no value"):
        assert words in shown
    assert 'type="password" name="answer.ADMIN_PASSWORD"' in shown
    assert 'placeholder="Hello"' in shown


def test_answers_change_the_preview_but_not_the_questions(client: Client, shop: Environment) -> None:
    data = {"name": "shop", "compose": factories.COMPOSE, "question_names": "VERSION GREETING ADMIN_PASSWORD"}
    shown = preview(client, shop, **data, **{"answer.VERSION": "2.5"})
    assert "demo/whoami:2.5" in shown
    assert 'name="answer.VERSION"' not in shown


@pytest.mark.parametrize(
    ("compose", "sentence"),
    [
        ("services: [", "data-line="),
        ("services:\n  web:\n    image: a\n    links: [b]\n    privileged: true\n", "data-line="),
        ("version: '2'\nservices:\n  web: {image: a}\n", "version 2"),
        (
            "services:\n  web: {image: a, networks: [lost]}\nnetworks:\n  lost: {external: true}\n",
            "The network &#x27;lost&#x27; does not exist",
        ),
    ],
)
def test_what_stands_against_it_is_said_with_its_line(
    client: Client, shop: Environment, compose: str, sentence: str
) -> None:
    shown = preview(client, shop, name="shop", compose=compose)
    assert sentence in shown


def test_a_missing_network_comes_with_an_offer(client: Client, shop: Environment) -> None:
    compose = "services:\n  web: {image: a, networks: [lost]}\nnetworks:\n  lost: {external: true}\n"
    assert 'data-own-network="lost"' in preview(client, shop, name="shop", compose=compose)


def test_a_missing_network_is_made_the_stack_s_own_by_its_name_in_the_file(client: Client, shop: Environment) -> None:
    """That is what the script looks for; where the file has no line of it, nothing is offered."""
    head = "services:\n  web: {image: a, networks: [front]}\nnetworks:\n"
    shown = preview(client, shop, name="shop", compose=f"{head}  'front':\n    external: {{name: lost}}\n")
    assert 'data-own-network="front"' in shown
    assert 'name="create_network" value="lost"' in shown
    shown = preview(client, shop, name="shop", compose=f"{head}  front: &lost\n    external: {{name: lost}}\n")
    assert "data-own-network" not in shown


def test_a_recipe_offers_a_name_that_is_free(client: Client, shop: Environment) -> None:
    address = reverse("stack_deploy", args=[shop.pk])
    assert 'value="whoami"' in text(client.get(address, {"recipe": "whoami"}))
    factories.stack(shop, "whoami")
    factories.stack(shop, "whoami-2")
    assert 'value="whoami-3"' in text(client.get(address, {"recipe": "whoami"}))


def at_the_name(shown: str) -> str:
    return shown.split('id="name-error"')[1].split(">", 1)[1].split("</div>")[0].strip()


def test_an_empty_form_shows_no_error_before_it_is_sent(client: Client, shop: Environment) -> None:
    for shown in (
        text(client.get(reverse("stack_deploy", args=[shop.pk]))),
        preview(client, shop, name="", compose=""),
    ):
        assert "Error" not in shown
        assert not at_the_name(shown)
    sent = text(post(client, "stack_deploy", shop, htmx=True, name="", compose=""))
    assert at_the_name(sent) == "Give the stack a name."
    assert "Paste or upload a compose file" in sent


def test_a_name_still_to_come_is_no_mistake(client: Client, shop: Environment) -> None:
    shown = preview(client, shop, name="", compose=factories.COMPOSE)
    assert not at_the_name(shown)
    assert "Name it to deploy it" in shown
    assert at_the_name(text(post(client, "stack_deploy", shop, htmx=True, name="", compose=factories.COMPOSE)))


@pytest.mark.parametrize("name", ["Two Words", "x" * 70, "deploy"])
def test_a_bad_name_stands_at_its_field(client: Client, shop: Environment, name: str) -> None:
    assert at_the_name(preview(client, shop, name=name, compose=factories.COMPOSE))
    assert post(client, "stack_deploy", shop, name=name, compose=factories.COMPOSE).status_code == 422
    assert not shop.stacks.exists()


def test_deploying_records_the_answers_and_leads_to_the_operation(client: Client, shop: Environment) -> None:
    data = {"name": "shop", "compose": factories.COMPOSE, "answer.ADMIN_PASSWORD": "hunter2", "answer.GREETING": ""}
    answer = post(client, "stack_deploy", shop, htmx=True, **data)
    assert answer["HX-Redirect"] == reverse("operation", args=[shop.pk, shop.operations.get().pk])
    assert Revision.objects.get().answers == {"ADMIN_PASSWORD": "hunter2"}


def test_uploaded_files_do_without_scripts(client: Client, shop: Environment) -> None:
    compose = SimpleUploadedFile("docker-compose.yml", factories.COMPOSE.encode())
    env = SimpleUploadedFile(".env", b"GREETING='Hi all'\nOTHER=1\n")
    answer = post(client, "stack_deploy", shop, name="shop", compose_file=compose, env_file=env)
    assert answer.status_code == 302
    assert Revision.objects.get().answers == {"GREETING": "Hi all"}


def test_a_broken_env_file_names_its_line(client: Client, shop: Environment) -> None:
    shown = preview(client, shop, name="shop", compose=factories.COMPOSE, env="A=1\nno equals sign")
    assert "Line 2" in shown.split('id="env-error"')[1]


def test_a_binary_upload_is_refused_in_words(client: Client, shop: Environment) -> None:
    upload = SimpleUploadedFile("a.yml", b"\xff\xfe\x00")
    answer = post(client, "stack_deploy", shop, name="shop", compose_file=upload)
    assert answer.status_code == 422
    assert "no text in UTF-8" in text(answer)


def test_env_values_count_where_fields_are_blank(client: Client, shop: Environment) -> None:
    data = {"name": "shop", "compose": factories.COMPOSE, "env": "VERSION=7\nUNUSED=1"}
    assert "demo/whoami:7" in preview(client, shop, **data)
    shown = preview(client, shop, **data, **{"answer.VERSION": "8"})
    assert "demo/whoami:8" in shown
    assert "UNUSED" in shown


def test_an_update_shows_earlier_answers_but_never_passwords(client: Client, shop: Environment) -> None:
    factories.stack(shop, "shop", answers={"VERSION": "3.1", "ADMIN_PASSWORD": "s3cret-answer"})
    shown = text(client.get(reverse("stack_update", args=[shop.pk, "shop"])))
    assert 'value="3.1"' in shown
    assert "demo/whoami:3.1" in shown
    assert "s3cret-answer" not in shown
    assert "the value it has now is kept" in shown


def test_a_blank_password_keeps_the_earlier_one(client: Client, shop: Environment) -> None:
    factories.stack(shop, "shop", answers={"VERSION": "3.1", "ADMIN_PASSWORD": "s3cret-answer"})
    data = {"compose": factories.COMPOSE, "answer.VERSION": "", "answer.ADMIN_PASSWORD": ""}
    assert post(client, "stack_update", shop, "shop", **data).status_code == 302
    assert Revision.objects.first() is not None
    newest = Revision.objects.order_by("-n").first()
    assert newest is not None
    assert newest.answers == {"ADMIN_PASSWORD": "s3cret-answer"}


def test_two_deployments_at_once_are_refused_in_words(client: Client, shop: Environment) -> None:
    data = {"name": "shop", "compose": factories.COMPOSE}
    assert post(client, "stack_deploy", shop, **data).status_code == 302
    shown = text(post(client, "stack_deploy", shop, htmx=True, **data))
    assert "A stack called shop exists" in shown or "already a stack named" in shown
    assert shop.operations.count() == 1


def test_deploying_without_hosts_says_what_to_do(client: Client, anna: User) -> None:
    empty = factories.environment(anna)
    assert "There is no swarm yet" in text(client.get(reverse("stack_deploy", args=[empty.pk])))
    shown = text(post(client, "stack_deploy", empty, htmx=True, name="shop", compose=factories.COMPOSE))
    assert "add a host first" in shown


def test_removing_a_stack_says_what_goes_and_what_stays(client: Client, shop: Environment) -> None:
    factories.stack(shop, "shop")
    factories.snapshot(
        shop,
        services=[factories.service("web", "shop", running=1)],
        networks=[factories.network("shop_default", stack="shop"), factories.network("frontend")],
        volumes=[factories.volume("shop_data", stack="shop")],
    )
    address = reverse("stack_remove", args=[shop.pk, "shop"])
    goes, stays = text(client.get(address)).split(">Stays<")
    assert "shop_web" in goes
    assert "shop_default" in goes
    assert "shop_data" in stays
    client.post(address)
    assert shop.operations.get().title == "Remove stack shop"
