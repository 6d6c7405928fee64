"""The pages of revisions: what they show, what they hide, and the ways from one to another."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from dashboard.flows import plan_memory
from dashboard.flows.stacks import Wish
from dashboard.models import Environment, Operation, OperationState, Origin, Stack, StackState
from platform_manager.swarm.plan import Plan
from tests import factories

pytestmark = pytest.mark.django_db

NEWER = factories.COMPOSE.replace("8080:80", "8081:80")
DIGEST = "demo/whoami:1.0@sha256:" + "ab" * 32


@pytest.fixture
def shop(anna: User) -> Environment:
    made = factories.environment(anna, "Shop")
    factories.filled(made, hosts=1, stacks=0, services=1, tasks=1)
    return made


@pytest.fixture
def web(shop: Environment) -> Stack:
    """Two revisions; the second has another port, greeting and password."""
    made = factories.stack(shop, "web", answers={"GREETING": "Hi", "ADMIN_PASSWORD": "first-secret"})
    made.revisions.update(digests={"web": DIGEST})
    answers = {"GREETING": "Hello", "ADMIN_PASSWORD": "second-secret"}
    factories.revision(made, 2, compose=NEWER, answers=answers, origin=Origin.UPDATE)
    return made


def page(client: Client, name: str, stack: Stack, *args: object, **query: object) -> str:
    answer: HttpResponse = client.get(reverse(name, args=[stack.environment_id, stack.name, *args]), query)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_a_revision_tells_what_was_deployed_and_hides_its_secrets(client: Client, web: Stack) -> None:
    shown = page(client, "stack_revision", web, 1)
    for words in ("demo/whoami:${VERSION:-1.0}", "GREETING", "Hi", "sha256:abababababab", "anna"):
        assert words in shown, words
    assert "first-secret" not in shown
    assert "ADMIN_PASSWORD" in shown


def test_an_answer_that_the_recipe_calls_secret_is_hidden_whatever_its_name(client: Client, web: Stack) -> None:
    web.revisions.filter(n=2).update(wishes={"secret_names": ["GREETING"]})
    assert "Hello" not in page(client, "stack_revision", web, 2).partition("Answers")[2]


def test_two_revisions_are_compared_line_by_line_and_answer_by_answer(client: Client, web: Stack) -> None:
    shown = page(client, "stack_compare", web)
    assert (
        'data-change="removed"><span class="visually-hidden">removed: </span>-    ports: [&quot;8080:80&quot;]' in shown
    )
    added = '<span class="visually-hidden">added: </span>+    ports: [&quot;8081:80&quot;]'
    assert f'data-change="added">{added}' in shown
    assert "Hi" in shown and "Hello" in shown
    assert "first-secret" not in shown and "second-secret" not in shown
    assert "another secret value" in shown


def test_a_revision_is_the_same_as_itself(client: Client, web: Stack) -> None:
    assert "They are the same" in page(client, "stack_compare", web, **{"from": 2, "to": 2})


@pytest.mark.parametrize(("older", "newer"), [("9", "1"), ("one", "two"), ("1" * 30, "1")])
def test_comparing_with_what_is_no_revision_is_answered(client: Client, web: Stack, older: str, newer: str) -> None:
    address = reverse("stack_compare", args=[web.environment_id, "web"])
    assert client.get(address, {"from": older, "to": newer}).status_code in (200, 404)


def test_an_older_revision_offers_the_way_back_and_the_newest_to_be_deployed_again(client: Client, web: Stack) -> None:
    older, newest = page(client, "stack_revision", web, 1), page(client, "stack_revision", web, 2)
    back = reverse("stack_roll_back", args=[web.environment_id, "web", 1])
    assert back in older and back not in newest
    assert "Deploy again" in newest and "Deploy again" not in older


def test_rolling_back_records_a_revision_with_the_images_that_ran(client: Client, web: Stack) -> None:
    client.post(reverse("stack_roll_back", args=[web.environment_id, "web", 1]))
    made = web.revisions.get(n=3)
    assert (made.origin, made.came_from, made.pins) == (Origin.ROLLBACK, 1, {"web": DIGEST})
    assert made.compose == factories.COMPOSE
    assert made.answers["ADMIN_PASSWORD"] == "first-secret"


def test_the_way_back_says_that_data_stays_and_why_there_is_no_plan(client: Client, web: Stack) -> None:
    shown = page(client, "stack_roll_back", web, 1, plan="page")
    assert "data is not rolled back" in shown
    assert "No manager of this environment answers" in shown


def stopped(stack: Stack) -> str:
    """The address that repeats its newest deployment, which failed."""
    newest = stack.revisions.get(n=2)
    args = {"stack": stack.name, "revision": newest.pk}
    operation = factories.operation(stack.environment, "Update", OperationState.FAILED, kind="deploy_stack", args=args)
    stack.revisions.filter(n=2).update(state=StackState.FAILED, operation=operation)
    return reverse("operation_retry", args=[stack.environment_id, operation.pk])


def changing(stack: Stack) -> list[str]:
    """The pages of all buttons that deploy what was deployed before."""
    back = reverse("stack_roll_back", args=[stack.environment_id, stack.name, 1])
    return [back, reverse("stack_redeploy", args=[stack.environment_id, stack.name]), stopped(stack)]


def test_whatever_deploys_again_asks_for_its_plan_first(client: Client, web: Stack) -> None:
    for address in changing(web):
        shown = client.get(address).content.decode()
        assert f'hx-get="{address}?plan=part" hx-trigger="load' in shown
        assert f'<form method="post" action="{address}"' in shown
        assert '<noscript><meta http-equiv="refresh" content="0; url=?plan=page"></noscript>' in shown
        part = client.get(address, {"plan": "part"}).content.decode()
        assert "<html" not in part and "No manager of this environment answers" in part
        whole = client.get(address, {"plan": "page"}).content.decode()
        assert "<html" in whole and "No manager of this environment answers" in whole and "hx-get" not in whole
    assert web.revisions.count() == 2
    assert not Operation.objects.filter(state=OperationState.QUEUED).exists()


def test_who_changes_what_is_still_being_deployed_is_told_that_this_takes_its_place(client: Client, web: Stack) -> None:
    going = factories.operation(web.environment, "Update", OperationState.RUNNING, kind="deploy_stack")
    addresses = [reverse("stack_update", args=[web.environment_id, "web"]), *changing(web)[:2]]
    web.revisions.filter(n=2).update(operation=going)
    for address in addresses:
        assert "What you deploy now takes its place." in client.get(address).content.decode()
    Operation.objects.filter(pk=going.pk).update(state=OperationState.SUCCEEDED)
    for address in addresses:
        assert "takes its place" not in client.get(address).content.decode()


def test_the_plan_of_what_is_deployed_again_is_kept_with_it(
    client: Client, web: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shown(environment: Environment, wish: Wish, *, pins: dict[str, str], **_: object) -> Plan:
        plan_memory.remember(environment, wish, pins, plan_memory.Shown("~ service web_web (update)", "as it was"))
        return Plan(())

    for module in ("revisions", "operations"):
        monkeypatch.setattr(f"dashboard.flows.{module}.plan_stack", shown)
    for address in changing(web):
        client.get(address, {"plan": "part"})
        client.post(address)
        newest = Operation.objects.filter(kind="deploy_stack").latest("created_at")
        assert newest.args["planned_on"] == "as it was", address
        assert newest.revisions.get().plan == "~ service web_web (update)"
        Operation.objects.filter(state=OperationState.QUEUED).update(state=OperationState.SUCCEEDED)
        web.revisions.filter(n__gt=2).delete()


def test_an_export_holds_a_file_to_deploy_and_no_secret(client: Client, web: Stack) -> None:
    answer = client.get(reverse("stack_export", args=[web.environment_id, "web", 2]))
    assert answer["Content-Disposition"] == 'attachment; filename="web-2.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    compose = texts["web-2/docker-compose.yml"]
    assert "8081" in compose and "Hello" in compose
    assert "second-secret" not in "".join(texts.values())


def test_a_deployment_that_stopped_half_way_says_what_is_there_and_both_ways_out(client: Client, web: Stack) -> None:
    operation = factories.operation(web.environment, "Update", OperationState.FAILED, kind="deploy_stack")
    web.revisions.filter(n=2).update(
        state=StackState.FAILED,
        operation=operation,
        sentence="The swarm did not accept the stack.",
        made=["service web_web (created)", "network web_default (created)"],
    )
    web.revisions.filter(n=1).update(state=StackState.FAILED)
    Stack.objects.update(state=StackState.FAILED)
    shown = page(client, "stack", web)
    assert "service web_web (created)" in shown
    assert reverse("stack_roll_back", args=[web.environment_id, "web", 1]) not in shown.split("Revisions")[0]
    assert reverse("operation_retry", args=[web.environment_id, operation.pk]) in shown
    assert "Remove what was made" in shown
    assert "The swarm did not accept the stack." in shown.partition("stopped half way")[2].partition("Finish it")[0]
    Stack.objects.update(sentence="The swarm did not accept the stack.")
    assert page(client, "stack", web).partition("Revisions")[0].count("The swarm did not accept the stack.") == 1


@pytest.mark.parametrize(("view", "more"), [("stack", ()), ("stack_revision", (2,))])
def test_a_deployment_is_finished_by_way_of_its_plan(
    client: Client, web: Stack, view: str, more: tuple[int, ...]
) -> None:
    address = stopped(web)
    web.revisions.filter(n=2).update(made=["service web_web (created)"])
    Stack.objects.update(state=StackState.FAILED)
    assert f'<a href="{address}" class="btn btn-primary">' in page(client, view, web, *more)
    assert "Revision 2 is given to the swarm once more" in client.get(address).content.decode()
    assert client.post(address).status_code == 302
    assert Operation.objects.exclude(retry_of=None).count() == 1


def test_an_update_that_stopped_half_way_offers_the_way_back_and_warns_of_what_goes(client: Client, web: Stack) -> None:
    operation = factories.operation(web.environment, "Update", OperationState.FAILED, kind="deploy_stack")
    made = ["service web_web (unchanged)", "service web_more (created)"]
    web.revisions.filter(n=2).update(state=StackState.FAILED, operation=operation, made=made)
    web.revisions.filter(n=1).update(state=StackState.RUNNING)
    Stack.objects.update(state=StackState.FAILED)
    shown = page(client, "stack", web)
    assert "Go back to revision 1" in shown
    assert "Remove the whole stack" in shown and "Remove what was made" not in shown


def test_the_last_lines_of_a_failing_task_stand_on_the_page_of_its_stack(client: Client, web: Stack) -> None:
    failure = {"service": "web_web", "node": "fw-01", "error": "exit (3)", "lines": ["starting <b>", "giving up"]}
    web.revisions.filter(n=2).update(state=StackState.FAILED, failures=[failure])
    assert "giving up" not in page(client, "stack", web), "it runs: what came up after all has no trouble"
    Stack.objects.filter(pk=web.pk).update(state=StackState.FAILED)
    shown = page(client, "stack", web)
    assert "giving up" in shown and "web_web on fw-01" in shown
    assert "starting &lt;b&gt;" in shown


def test_a_failing_stack_leads_to_its_file_and_back_to_what_ran(client: Client, web: Stack) -> None:
    failure = {"service": "web_web", "node": "fw-01", "error": "exit (3)", "lines": []}
    web.revisions.filter(n=2).update(state=StackState.FAILED, failures=[failure])
    web.revisions.filter(n=1).update(state=StackState.RUNNING)
    Stack.objects.filter(pk=web.pk).update(state=StackState.FAILED)
    back = f'{reverse("stack_roll_back", args=[web.environment_id, "web", 1])}" class="btn"'
    ways = page(client, "stack", web).partition("What to do next")[2]
    assert reverse("stack_update", args=[web.environment_id, "web"]) in ways
    assert back in ways and "Roll back to revision 1, which ran" in ways
    web.revisions.filter(n=1).update(state=StackState.FAILED)
    assert "which ran" not in page(client, "stack", web)


def test_one_revision_alone_is_not_offered_for_comparing(client: Client, shop: Environment, web: Stack) -> None:
    assert "Compare the newest two" in page(client, "stack", web)
    assert "Compare the newest two" not in page(client, "stack", factories.stack(shop, "single"))


def test_a_stack_deployed_elsewhere_offers_to_be_adopted(client: Client, shop: Environment) -> None:
    factories.snapshot(shop, services=[factories.service("api", "outside")])
    shown = client.get(reverse("stack", args=[shop.pk, "outside"])).content.decode()
    assert reverse("stack_adopt", args=[shop.pk, "outside"]) in shown


def test_a_released_stack_is_forgotten(client: Client, web: Stack) -> None:
    client.post(reverse("stack_release", args=[web.environment_id, "web"]))
    assert not Stack.objects.filter(name="web").exists()
