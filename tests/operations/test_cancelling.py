"""What may be cancelled and repeated is said by its kind, whoever asks."""

from __future__ import annotations

import pytest

from dashboard.flows import operations
from dashboard.models import Operation, OperationState
from dashboard.operations import kinds
from platform_manager.errors import UserError
from tests import factories

pytestmark = pytest.mark.django_db
UNFINISHED = [OperationState.QUEUED, OperationState.RUNNING]


def made(monkeypatch: pytest.MonkeyPatch, state: OperationState, **rules: bool) -> Operation:
    """An operation of a kind with these rules."""
    monkeypatch.setitem(kinds._kinds, "test", kinds.Kind("test", (), **rules))
    return factories.operation(factories.environment(), kind="test", state=state)


@pytest.mark.parametrize("state", UNFINISHED)
def test_a_kind_that_can_not_be_cancelled_is_not(monkeypatch: pytest.MonkeyPatch, state: OperationState) -> None:
    operation = made(monkeypatch, state, cancellable=False)
    with pytest.raises(UserError, match="can't be stopped halfway"):
        operations.cancel_operation(operation, operation.environment.owner)
    operation.refresh_from_db()
    assert (operation.state, operation.cancel_requested) == (state, False)


@pytest.mark.parametrize("state", UNFINISHED)
def test_any_other_is(monkeypatch: pytest.MonkeyPatch, state: OperationState) -> None:
    operation = made(monkeypatch, state)
    operations.cancel_operation(operation, operation.environment.owner)
    operation.refresh_from_db()
    assert operation.cancel_requested


def test_an_operation_of_another_release_can_be_cancelled_and_not_repeated() -> None:
    operation = factories.operation(factories.environment(), kind="of another release", state=OperationState.QUEUED)
    operations.cancel_operation(operation, operation.environment.owner)
    operation.refresh_from_db()
    assert operation.state == OperationState.CANCELLED
    with pytest.raises(UserError, match="can't be repeated"):
        operations.retry_operation(operation, operation.environment.owner)


def test_a_kind_that_can_not_be_repeated_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    operation = made(monkeypatch, OperationState.FAILED, retryable=False)
    with pytest.raises(UserError, match="can't be repeated"):
        operations.retry_operation(operation, operation.environment.owner)


def test_one_that_has_ended_is_not_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    operation = made(monkeypatch, OperationState.SUCCEEDED, cancellable=False)
    with pytest.raises(UserError, match="has ended already"):
        operations.cancel_operation(operation, operation.environment.owner)
