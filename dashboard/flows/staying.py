"""The wish to leave machines in a cloud whose account does not work."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dashboard.models import Environment, Host
from dashboard.operations.clouds.staying import Staying, of_accounts
from platform_manager.errors import UserError


def checked_leave(environment: Environment, hosts: Iterable[Host], leave: Collection[str]) -> list[Staying]:
    """What stays of the hosts, where ``leave`` are ids of accounts; UserError for an account that works."""
    chosen = [one for one in of_accounts(environment, hosts) if one.key in leave]
    works = [one.account.name for one in chosen if not one.account.problem]
    if works:
        raise UserError(
            f"The cloud account {', '.join(works)} works, so its machines can be removed and are not left in the "
            "cloud. Nothing was changed."
        )
    return chosen


def told(left: list[Staying]) -> dict[str, dict[str, list[str]]]:
    """What stays, for the audit log."""
    return {"left": {one.account.name: one.things for one in left}} if left else {}


def keys(left: list[Staying]) -> dict[str, list[str]]:
    """What stays, for an operation's arguments."""
    return {"leave": [one.key for one in left]} if left else {}


def words(left: list[Staying], what: str) -> str:
    """What stays, for an operation's title."""
    return f", leaving {what} in {', '.join(one.account.name for one in left)}" if left else ""
