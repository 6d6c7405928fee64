"""Operations that are asked for again: the same work, where it still makes sense."""

from __future__ import annotations

import pytest
from django.utils import timezone

from dashboard.flows.environments import delete_environment
from dashboard.flows.operations import cancel_operation, retry_operation
from dashboard.flows.stacks import Wish, deploy_stack, remove_stack
from dashboard.models import Operation, OperationState, PlatformSettings, Stack, StackState
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db


def failed_deployment(stack: Stack) -> Operation:
    revision = stack.revisions.order_by("n").first()
    assert revision is not None
    args = {"stack": stack.name, "revision": revision.pk}
    return factories.operation(stack.environment, state=OperationState.FAILED, kind="deploy_stack", args=args)


def test_a_deletion_that_is_repeated_closes_the_environment_again() -> None:
    environment = factories.environment(name="Lab")
    deletion = delete_environment(environment, environment.owner, "Lab")
    Operation.objects.filter(pk=deletion.pk).update(state=OperationState.FAILED)
    type(environment).objects.filter(pk=environment.pk).update(removing_since=None)
    deletion.refresh_from_db()
    again = retry_operation(deletion, environment.owner)
    environment.refresh_from_db()
    assert environment.removing_since is not None
    assert (again.kind, again.retry_of) == ("delete_environment", deletion)


def test_the_newest_deployment_is_planned_again_and_the_watcher_lets_go_of_its_stack() -> None:
    stack = factories.stack(factories.environment(), state=StackState.FAILED, settled_at=timezone.now())
    retry_operation(failed_deployment(stack), stack.environment.owner)
    stack.refresh_from_db()
    assert (stack.state, stack.settled_at) == (StackState.PLANNING, None)


def test_an_older_deployment_is_not_repeated_over_a_newer_one() -> None:
    stack = factories.stack(factories.environment())
    failed = failed_deployment(stack)
    factories.revision(stack, 2)
    with pytest.raises(UserError, match="updated since"):
        retry_operation(failed, stack.environment.owner)


def test_a_deployment_of_a_stack_that_is_gone_is_not_repeated() -> None:
    stack = factories.stack(factories.environment())
    failed = failed_deployment(stack)
    stack.delete()
    with pytest.raises(UserError, match="removed since"):
        retry_operation(failed, failed.environment.owner)


def test_what_operators_forbid_by_now_is_not_repeated() -> None:
    compose = "services: {web: {image: web, volumes: ['${SOCKET}:/socket']}}\n"
    answers = {"SOCKET": "/var/run/docker.sock"}
    stack = factories.stack(factories.environment(), compose=compose, answers=answers, state=StackState.FAILED)
    failed = failed_deployment(stack)
    PlatformSettings.objects.create(forbid_docker_socket=True)
    with pytest.raises(UserError, match="does not allow the Docker socket"):
        retry_operation(failed, stack.environment.owner)
    assert Stack.objects.get().state == StackState.FAILED
    PlatformSettings.objects.update(forbid_docker_socket=False)
    assert retry_operation(failed, stack.environment.owner).retry_of == failed


def test_a_deployment_is_repeated_once_at_a_time_whichever_of_its_tries_is_asked() -> None:
    stack = factories.stack(factories.environment(), state=StackState.FAILED)
    first = failed_deployment(stack)
    second = retry_operation(first, stack.environment.owner)
    Operation.objects.filter(pk=second.pk).update(state=OperationState.FAILED)
    second.refresh_from_db()
    retry_operation(second, stack.environment.owner)
    with pytest.raises(UserError, match="being deployed already"):
        retry_operation(first, stack.environment.owner)


def test_a_revision_leads_to_its_newest_try() -> None:
    stack = factories.stack(factories.environment(), state=StackState.FAILED)
    first = failed_deployment(stack)
    stack.revisions.update(operation=first)
    second = retry_operation(first, stack.environment.owner)
    assert stack.revisions.get().operation == second


def test_a_removal_that_never_began_leaves_the_stack_to_the_watcher() -> None:
    stack = factories.stack(factories.environment())
    removal = remove_stack(stack.environment, stack.environment.owner, stack.name)
    cancel_operation(removal, stack.environment.owner)
    stack.refresh_from_db()
    assert stack.settled_at is not None


def test_a_stack_that_is_being_removed_is_not_said_to_have_failed_when_its_deployment_ends() -> None:
    environment = factories.environment()
    factories.host(environment)
    deploying = deploy_stack(environment, environment.owner, Wish("shop", "services: {web: {image: demo/web:1}}"))
    remove_stack(environment, environment.owner, "shop")
    cancel_operation(deploying, environment.owner)
    stack = Stack.objects.get(name="shop")
    assert (stack.state, stack.settled_at) == (StackState.REMOVING, None)
    assert stack.revisions.get().state == StackState.FAILED
