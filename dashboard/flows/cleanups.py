"""Clean-ups of a cloud project: look at what is there, and ask for what was chosen to be deleted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from dashboard.models import AuditEntry, CloudAccount, CloudCleanup, OperationState
from dashboard.models.auditing import record
from dashboard.operations.clouds.claims import Claim, Known, Whose
from dashboard.operations.clouds.drivers import link_of
from dashboard.operations.wake import wake
from platform_manager import wiring
from platform_manager.clouds.openstack.things import Thing
from platform_manager.errors import UserError

READ_SECONDS = 90.0
MOST_CHOSEN = 200
RUNNING = "A clean-up of this project is running. Wait for its end."


@dataclass(frozen=True)
class Found:
    """A thing of the project, and whose it is."""

    thing: Thing
    claim: Claim

    @property
    def left_over(self) -> bool:
        return self.claim.whose is Whose.LEFT_OVER


def project_of(account: CloudAccount) -> str:
    """What is typed to confirm: the project's name, or the account's where the cloud tells none."""
    return account.project or account.name


def look_into(account: CloudAccount) -> list[Found]:
    """Everything in the project as it is now, in order of removal; PlatformError where the cloud does not tell."""
    from platform_manager.clouds.openstack.leftovers import everything

    if not account.region:
        raise UserError("Choose a region of the cloud first, on the account's page.")
    things = wiring.run(everything(link_of(account).cloud), READ_SECONDS)
    known = Known(things)
    return [Found(thing, known.claim(thing)) for thing in things]


def unfinished(account: CloudAccount) -> CloudCleanup | None:
    """The clean-up of the account that waits or runs."""
    return account.cleanups.filter(state__in=(OperationState.QUEUED, OperationState.RUNNING)).first()


def request_cleanup(account: CloudAccount, chosen: Collection[str], *, typed_name: str, by: User) -> CloudCleanup:
    """Ask for what was chosen, by :attr:`Thing.key`, to be deleted; UserError at ``chosen`` or ``typed_name``."""
    if not chosen:
        raise UserError("Choose at least one thing.", "chosen")
    if len(chosen) > MOST_CHOSEN:
        raise UserError(f"{len(chosen)} things are chosen; {MOST_CHOSEN} at a time is the most.", "chosen")
    if typed_name.strip() != project_of(account):
        raise UserError(f"Type {project_of(account)} to confirm.", "typed_name")
    _check_free(account)
    there = {one.thing.key: one for one in look_into(account)}
    _check_there(chosen, there)
    wanted = [one for key, one in there.items() if key in set(chosen)]
    for one in wanted:
        if one.claim.refusal:
            raise UserError(f"{_named(one.thing)} can't be chosen. {one.claim.refusal}", "chosen")
    return _requested(account, wanted, by)


def leftover_keys(account: CloudAccount) -> list[str]:
    """Of what the last look found left over, as many as a clean-up takes, by :attr:`Thing.key`."""
    return [f"{one['kind']}/{one['id']}" for one in account.leftovers[:MOST_CHOSEN]]


def request_leftovers_cleanup(account: CloudAccount, shown: Collection[str], *, by: User) -> CloudCleanup | None:
    """Ask for those of the ``shown`` things to be deleted that are left over still; None where none of them is."""
    if len(shown) > MOST_CHOSEN:
        raise UserError(f"{len(shown)} things are chosen; {MOST_CHOSEN} at a time is the most.")
    _check_free(account)
    found = [one for one in look_into(account) if one.left_over]
    wanted = [one for one in found if one.thing.key in set(shown)]
    if wanted:
        return _requested(account, wanted, by)
    now = [{"kind": one.thing.kind.value, "id": one.thing.id, "name": one.thing.name} for one in found]
    CloudAccount.objects.filter(pk=account.pk).update(leftovers=now)
    return None


def _check_free(account: CloudAccount) -> None:
    if unfinished(account) is not None:
        raise UserError(RUNNING)


def _check_there(chosen: Collection[str], there: Collection[str]) -> None:
    gone = len(set(chosen) - set(there))
    if gone:
        what = "One of the things chosen is" if gone == 1 else f"{gone} of the things chosen are"
        raise UserError(f"{what} not in the project (any more). Look at the list anew, then choose again.", "chosen")


def _named(thing: Thing) -> str:
    return f"The {thing.kind} {thing.name}"


def _requested(account: CloudAccount, wanted: list[Found], by: User) -> CloudCleanup:
    things = [_row(one) for one in wanted]
    try:
        with transaction.atomic():
            made = CloudCleanup.objects.create(account=account, requested_by=by, things=things)
            record(
                "cloud_account.clean_up",
                account,
                by=by,
                outcome=AuditEntry.Outcome.REQUESTED,
                clean_up=str(made.pk),
                things=[f"{thing['kind']} {thing['name']}" for thing in things],
            )
            transaction.on_commit(wake)
    except IntegrityError:
        raise UserError(RUNNING) from None
    return made


def _row(one: Found) -> dict[str, Any]:
    thing, state = one.thing, OperationState.QUEUED.value
    return {
        "kind": thing.kind.value,
        "id": thing.id,
        "name": thing.name,
        "ours": one.left_over,
        "state": state,
        "error": "",
    }
