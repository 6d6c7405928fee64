"""What stays in a cloud when hosts are forgotten whose account does not work: nobody could remove their machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from dashboard.models import CloudAccount, Environment, Host, LinkKind, StepState
from platform_manager import wiring
from platform_manager.clouds.openstack.marks import Mark
from platform_manager.clouds.openstack.things import Kind
from platform_manager.errors import PlatformError

from ..context import StepContext
from .cloud_look import tell

ASK_SECONDS = 30.0


@dataclass(frozen=True)
class Staying:
    """Hosts of one account, and what else of the environment would stay in its project with their machines."""

    account: CloudAccount
    hosts: list[Host]
    shared: list[str]

    @property
    def key(self) -> str:
        return str(self.account.pk)

    @property
    def things(self) -> list[str]:
        """Each with its name and id, as far as rows know them."""
        return [thing for host in self.hosts for thing in _things(host)] + self.shared


def of_accounts(environment: Environment, hosts: Iterable[Host]) -> list[Staying]:
    """The hosts of the environment that are in clouds, by account."""
    by_account: dict[CloudAccount, list[Host]] = {}
    for host in hosts:
        if host.account is not None:
            by_account.setdefault(host.account, []).append(host)
    return [Staying(account, mine, _shared(environment, account, mine)) for account, mine in by_account.items()]


def offered(environment: Environment, hosts: Iterable[Host]) -> list[Staying]:
    """What may be left: the machines of accounts that, by the cloud's last answer, do not work."""
    return [one for one in of_accounts(environment, hosts) if one.account.problem]


def is_left(args: Mapping[str, Any], host: Host) -> bool:
    """Whether the machine was chosen to be left, by an operation's arguments."""
    return host.account_id is not None and str(host.account_id) in args.get("leave", ())


def forget(context: StepContext, hosts: Iterable[Host]) -> None:
    """Say what stays of those that were chosen to be left; their rows are the caller's to delete.

    The servers are left over in their projects from now on, so that whoever makes the account work again finds them.
    """
    chosen = [host for host in hosts if is_left(context.args, host)]
    for one in of_accounts(context.environment, chosen):
        for thing in one.things:
            context.log(f"{one.account}: {thing} stays in the cloud.", "warning")
        _leave_over(one)


def ask_again(context: StepContext, hosts: Iterable[Host], *steps: str) -> None:
    """Where one of these steps has failed: whether it was for the hosts' accounts, which their rows say from now on."""
    if not context.operation.steps.filter(n=context.n, name__in=steps, state=StepState.FAILED).exists():
        return
    for one in of_accounts(context.environment, [host for host in hosts if not is_left(context.args, host)]):
        if not one.account.problem and (problem := _problem(one.account)):
            tell(one.account, problem)
            one.account.problem = problem
        if one.account.problem:
            context.log(
                f"The cloud account {one.account} does not work. Make it work, or ask for the removal anew: its page "
                "now offers to leave machines of this account in the cloud.",
                "warning",
            )


def _things(host: Host) -> list[str]:
    things = [f"server {host.name} ({host.provider_id or 'if there is one: its id is not known'})"]
    if host.options.get("volume_gib"):
        things.append(f"boot volume of {host.name}, {host.options['volume_gib']} GiB")
    if host.options.get("floating_pool"):
        known = ", ".join(map(str, host.addresses[1:]))
        things.append(f"floating IP of {host.name} ({known or 'if there is one: its address is not known'})")
    return things


def _shared(environment: Environment, account: CloudAccount, leaving: list[Host]) -> list[str]:
    """What goes with the environment's last host in the account."""
    if environment.hosts.filter(account=account).exclude(pk__in=[host.pk for host in leaving]).exists():
        return []
    mark = Mark(settings.PM_INSTALLATION, str(environment.pk))
    dialled = any(host.link == LinkKind.DIRECT for host in leaving)
    return [f"security group {mark.group_name()}", *([f"key pair {mark.name()}"] if dialled else [])]


@transaction.atomic
def _leave_over(one: Staying) -> None:
    account = CloudAccount.objects.select_for_update(of=("self",)).get(pk=one.account.pk)
    servers = [{"kind": str(Kind.SERVER), "id": host.provider_id, "name": host.name} for host in one.hosts]
    account.leftovers += [row for row in servers if row["id"] and row not in account.leftovers]
    account.save(update_fields=["leftovers"])


def _problem(account: CloudAccount) -> str:
    """What is wrong with the account, as the cloud says now; "" where it works."""
    try:
        wiring.verify(account.access(), private=account.may_be_private, seconds=ASK_SECONDS)
    except PlatformError as error:
        return str(error)
    return ""
