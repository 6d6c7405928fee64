"""Open and close ports in an environment's security groups, one in each cloud account where it has hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from dashboard.models import CloudAccount, Environment, LinkKind
from dashboard.models.openings import EVERYBODY
from platform_manager import wiring
from platform_manager.errors import PlatformError, ProviderError, UserError

from ..context import StepContext
from ..kinds import Kind, Step, register
from .drivers import link_of

if TYPE_CHECKING:
    from platform_manager.clouds.openstack.groups import Group, Rule

NAME = "open_ports"
GONE = (
    "The environment's security group is gone: somebody deleted it in the cloud's own console. Hosts that are added "
    "there bring a new one, which the hosts that are there do not have."
)
CLOUD_SECONDS = 120.0


def who(source: str) -> str:
    """A source in CIDR form, as people say it; "" is the group itself."""
    return "everybody" if source == EVERYBODY else source or "the environment's hosts"


@dataclass(frozen=True)
class Asked:
    """An operation's arguments: a port to open, or to close, for those in ``source``."""

    open: bool
    protocol: str
    port: int
    source: str

    @property
    def port_word(self) -> str:
        return f"{self.port}/{self.protocol}"

    @property
    def deed(self) -> str:
        return "opened" if self.open else "closed"

    @property
    def end(self) -> str:
        """What is so once it is done."""
        return f"{self.port_word} is {'open' if self.open else 'closed'} to {who(self.source)}"


def accounts_of(environment: Environment) -> list[CloudAccount]:
    """Those with which the environment has hosts."""
    found = CloudAccount.objects.filter(hosts__environment=environment).select_related("preset")
    return list(found.distinct().order_by("name", "pk"))


def opened(environment: Environment) -> list[list[object]]:
    """All open ports of the environment as its driver takes them: protocol, port and source of each."""
    return [list(row) for row in environment.open_ports.values_list("protocol", "port", "source")]


def ssh_from(environment: Environment, account: CloudAccount | None) -> str | None:
    """Who may reach SSH of the environment's machines in the account, in CIDR form; "" for nobody, as no host there is
    dialled or on its way to be. None where that is not known, for the platform has ceased to dial.
    """
    dialled = environment.hosts.filter(account=account, link=LinkKind.DIRECT).exists()
    return (settings.PM_DIRECT_FROM or None) if dialled else ""


def ask(
    account: CloudAccount, environment: Environment, ports: list[list[object]], operation: str = ""
) -> Group | None:
    """The environment's group in the account's project, put right; None where there is none. PlatformError."""
    ssh, driver = ssh_from(environment, account), link_of(account).driver
    return wiring.run(driver.open_ports(str(environment.pk), operation, ports, ssh_from=ssh), CLOUD_SECONDS)


def put_right(context: StepContext) -> str:
    """The wish is written first when a port opens and last when it closes: what may be open is always listed."""
    asked = Asked(**context.args)
    named = {"protocol": asked.protocol, "port": asked.port, "source": asked.source}
    if asked.open:
        by = {"opened_by": context.operation.requested_by}
        context.environment.open_ports.get_or_create(**named, defaults=by)
        context.changed()
    groups, failures = _ask_all(context, asked)
    if failures:
        raise _failure(asked, [account for account, group in groups.items() if group], failures)
    if not asked.open:
        context.environment.open_ports.filter(**named).delete()
    context.changed()
    return _ending(asked, groups)


def _ask_all(
    context: StepContext, asked: Asked
) -> tuple[dict[CloudAccount, Group | None], dict[CloudAccount, PlatformError]]:
    ports = opened(context.environment)
    if not asked.open:
        closing = [asked.protocol, asked.port, asked.source]
        ports = [port for port in ports if port != closing]
    groups: dict[CloudAccount, Group | None] = {}
    failures: dict[CloudAccount, PlatformError] = {}
    for account in accounts_of(context.environment):
        try:
            groups[account] = _ask(context, account, ports)
            _tell(context, account, groups[account], asked)
        except PlatformError as error:
            failures[account] = error
    return groups, failures


def _ask(context: StepContext, account: CloudAccount, ports: list[list[object]]) -> Group | None:
    group = ask(account, context.environment, ports, str(context.operation.pk))
    if group is None and ports and _has_machines(context, account):
        raise UserError(GONE)
    return group


def _has_machines(context: StepContext, account: CloudAccount) -> bool:
    return context.environment.hosts.filter(account=account).exclude(provider_id="").exists()


def _tell(context: StepContext, account: CloudAccount, group: Group | None, asked: Asked) -> None:
    """What is open in the account now, whoever opened it."""
    if group is None:
        context.log(f"{account}: no machine is there yet; the first one brings the group, with these ports.")
        return
    open_now = ", ".join(words(rule) for rule in group.published)
    context.log(f"{account} lets in {open_now}." if open_now else f"{account} lets in no published port.")
    if group.others:
        rules = "1 rule that somebody else made stays" if len(group.others) == 1 else "Rules of others stay"
        context.log(f"{account}: {rules} in the group.")
    if not asked.open and (asked.protocol, asked.port, asked.source) in [_key(rule) for rule in group.others if rule]:
        context.log(
            f"{account} still lets in {asked.port_word} from {who(asked.source)}, by a rule that somebody else made: "
            "remove it in the cloud's own console.",
            "warning",
        )


def _key(rule: Rule) -> tuple[str, int, str]:
    return rule.protocol, rule.first, rule.source


def words(rule: Rule) -> str:
    """What a rule lets in."""
    return f"{rule.first}/{rule.protocol} from {who(rule.source)}"


def _names(accounts: list[CloudAccount]) -> str:
    return ", ".join(account.name for account in accounts)


def _failure(asked: Asked, done: list[CloudAccount], failures: dict[CloudAccount, PlatformError]) -> ProviderError:
    """What is where, and why; lasting where trying again can't help."""
    error = next(iter(failures.values()))
    rest = f" {asked.end} in {_names(done)}." if done else ""
    still = "" if asked.open else " It may still be open there."
    sentence = f"{asked.port_word} could not be {asked.deed} in {_names(list(failures))}: {error}{still}{rest}"
    lasting = any(isinstance(one, UserError) or not getattr(one, "retryable", True) for one in failures.values())
    return ProviderError(sentence, retryable=not lasting)


def _ending(asked: Asked, groups: dict[CloudAccount, Group | None]) -> str:
    there = [account for account, group in groups.items() if group]
    if there:
        return f"{asked.end} in {_names(there)}."
    return f"{asked.end} as soon as there is a machine in a cloud." if asked.open else f"{asked.end}: no cloud is left."


KIND = register(Kind(name=NAME, steps=(Step("groups", "Put the security groups right", put_right),)))
