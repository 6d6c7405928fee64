"""The pages of operations, and of logs."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from dashboard.models import MemberRole, Operation, OperationLog, OperationState, StepState
from dashboard.pages import operations as pages
from tests import factories

pytestmark = pytest.mark.django_db


def address(name: str, operation: Operation) -> str:
    return reverse(name, args=[operation.environment_id, operation.pk])


def failed(user: User) -> Operation:
    environment = factories.environment(user, "shop")
    made = factories.operation(
        environment,
        "Deploy stack demo",
        OperationState.FAILED,
        kind="deploy_stack",
        error="The image demo/none:1 could not be pulled on fw-02.",
        steps=[("Check the compose file", StepState.DONE), ("Wait for the tasks", StepState.FAILED)],
        logs=[(1, "3 services"), (2, "<script>alert(1)</script>")],
    )
    stack = factories.stack(environment, "demo", state="failed")
    stack.revisions.update(operation=made)
    return made


def test_a_failed_operation_says_the_step_the_reason_what_is_left_and_what_to_do(client: Client, anna: User) -> None:
    page = client.get(address("operation", failed(anna))).content.decode()
    assert "Step 2 failed: Wait for the tasks" in page
    assert "could not be pulled on fw-02." in page
    assert "/stacks/demo/" in page.split("Left behind")[1]
    assert "press Retry" in page
    assert "/stacks/demo/update/" in page.split("What to do next")[1]


def test_an_operation_that_waits_leads_to_those_before_it(client: Client, anna: User) -> None:
    environment = factories.environment(anna)
    waiting = factories.operation(environment, state=OperationState.QUEUED)
    page = client.get(address("operation", waiting)).content.decode()
    assert (
        f'<a href="{reverse("operations", args=[environment.pk])}" class="alert-link">operations before it</a>' in page
    )


def test_hosts_that_were_not_finished_are_named(client: Client, anna: User) -> None:
    environment = factories.environment(anna)
    good, bad = factories.host(environment, "fw-01"), factories.host(environment, "fw-02", state="failed")
    args = {"hosts": [str(good.pk), str(bad.pk)]}
    operation = factories.operation(environment, state=OperationState.FAILED, args=args)
    left = client.get(address("operation", operation)).content.decode().split("Left behind")[1]
    assert str(bad.pk) in left
    assert str(good.pk) not in left


def test_log_lines_are_text(client: Client, anna: User) -> None:
    page = client.get(address("operation", failed(anna))).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_a_finished_operation_needs_no_socket_a_running_one_goes_on_after_its_last_line(
    client: Client, anna: User
) -> None:
    assert "data-live-socket" not in client.get(address("operation", failed(anna))).content.decode()
    running = factories.operation(factories.environment(anna), logs=[(1, "a"), (1, "b")])
    last = OperationLog.objects.filter(operation=running).last()
    assert last is not None
    page = client.get(address("operation", running)).content.decode()
    assert f'data-live-socket="/ws/operations/{running.pk}/?after={last.pk}"' in page


def test_only_the_last_lines_of_a_long_log_are_drawn_and_all_can_be_downloaded(
    client: Client, anna: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FIRST_LINES", 10)
    operation = factories.operation(factories.environment(anna), steps=[("Go", StepState.RUNNING)])
    OperationLog.objects.bulk_create(OperationLog(operation=operation, step=1, text=f"line {n}") for n in range(25))
    page = client.get(address("operation", operation)).content.decode()
    assert ">line 14<" not in page
    assert ">line 15<" in page
    assert "The last 10 lines are shown" in page
    whole = b"".join(client.get(address("operation", operation) + "?format=text")).decode()
    assert whole.startswith("== Go\n")
    assert whole.count("line ") == 25


def test_a_read_only_member_sees_the_page_without_buttons_and_may_not_press_them(client: Client) -> None:
    operation = failed(factories.user())
    client.force_login(factories.member(operation.environment, role=MemberRole.READ_ONLY))
    page = client.get(address("operation", operation)).content.decode()
    assert "Retry</button>" not in page
    refused = client.post(address("operation_retry", operation))
    assert refused.status_code == 403
    assert f"Ask {operation.environment.owner}" in refused.content.decode()
    assert not operation.retries.exists()


@pytest.mark.parametrize("name", ["operation", "operation_cancel", "operation_retry"])
def test_an_outsider_and_another_environments_id_find_nothing(client: Client, anna: User, name: str) -> None:
    operation = failed(factories.user())
    mine = factories.environment(anna)
    for place in (address(name, operation), reverse(name, args=[mine.pk, operation.pk])):
        response = client.get(place) if name == "operation" else client.post(place)
        assert response.status_code == 404


def test_changing_needs_a_post(client: Client, anna: User) -> None:
    assert client.get(address("operation_cancel", failed(anna))).status_code == 405


def test_a_running_operation_is_cancelled(client: Client, anna: User) -> None:
    operation = factories.operation(factories.environment(anna))
    response = client.post(address("operation_cancel", operation), follow=True)
    operation.refresh_from_db()
    assert operation.cancel_requested
    assert "Cancelling after this step" in response.content.decode()


def test_a_retry_leads_to_the_new_operation(client: Client, anna: User) -> None:
    environment, args = factories.environment(anna), {"stack": "demo"}
    operation = factories.operation(environment, "Remove demo", OperationState.FAILED, kind="remove_stack", args=args)
    response = client.post(address("operation_retry", operation))
    again = Operation.objects.get(retry_of=operation)
    assert response.headers["Location"] == address("operation", again)


def test_what_cannot_be_cancelled_is_said(client: Client, anna: User) -> None:
    page = client.post(address("operation_cancel", failed(anna)), follow=True).content.decode()
    assert "has ended already" in page


def test_the_list_is_searched_and_filtered(client: Client, anna: User) -> None:
    environment = factories.environment(anna)
    factories.operation(environment, "Add hosts", OperationState.SUCCEEDED, id=UUID(int=1))
    state = OperationState.FAILED
    factories.operation(environment, "Deploy stack demo", state, error="no such image", id=UUID(int=2))
    place = reverse("operations", args=[environment.pk])

    def found(query: str) -> list[str]:
        return [row.title for row in client.get(place + query).context["operations"].rows]

    assert found("") == ["Deploy stack demo", "Add hosts"]
    assert found("?q=image+demo") == ["Deploy stack demo"]
    assert found("?state=succeeded") == ["Add hosts"]
    assert "No operation matches" in client.get(f"{place}?q=zebra").content.decode()


def test_the_list_pages_with_a_constant_number_of_queries(
    client: Client, anna: User, django_assert_max_num_queries
) -> None:
    environment = factories.environment(anna)
    for n in range(60):
        factories.operation(environment, f"Operation {n}", OperationState.SUCCEEDED, steps=[("Go", StepState.DONE)])
    with django_assert_max_num_queries(9):
        response = client.get(reverse("operations", args=[environment.pk]) + "?p=2")
    assert len(response.context["operations"].rows) == 10


def test_an_empty_list_teaches(client: Client, anna: User) -> None:
    environment = factories.environment(anna)
    page = client.get(reverse("operations", args=[environment.pk])).content.decode()
    assert "No operations yet" in page
    assert reverse("hosts_add", args=[environment.pk]) in page


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("stack=demo", "Logs of stack demo"),
        ("service=service-demo_web", "Logs of service demo_web"),
        ("service=demo_web", "Logs of service demo_web"),
        ("task=task-demo_web-1", "Logs of task demo_web.1"),
    ],
)
def test_logs_of_a_stack_a_service_and_a_task(client: Client, anna: User, query: str, title: str) -> None:
    environment = factories.environment(anna)
    web = factories.service("web", "demo")
    factories.snapshot(environment, services=[web], tasks=[factories.task(web)])
    page = client.get(reverse("logs", args=[environment.pk]) + f"?{query}").content.decode()
    assert title in page
    assert f'data-logs="/ws/environments/{environment.pk}/logs/?' in page


def test_logs_of_what_is_not_there(client: Client, anna: User) -> None:
    environment = factories.environment(anna)
    place = reverse("logs", args=[environment.pk])
    assert client.get(f"{place}?service={uuid4()}").status_code == 404
    assert client.get(place).headers["Location"] == reverse("services", args=[environment.pk])
