"""What the machine of a host is made of: its driver and, in a cloud, the account and what was chosen there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from dashboard.models import CloudAccount, Host
from dashboard.models.facts import addresses_of

from .viewer import Viewer

DRIVERS = {"local": "Local", "openstack": "OpenStack", "custom": "Custom"}
CHOSEN = {"flavor": "Flavor", "image": "Image", "network": "Network"}


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of facts; ``account_id`` is the viewer's own, whose page it leads to, ``copied`` what a button copies."""

    label: str
    text: str
    account_id: UUID | None = None
    copied: str = ""


def made_of(host: Host, viewer: Viewer) -> tuple[Fact, ...]:
    """What is known of it; nothing stands for what is not."""
    driver = Fact("Driver", DRIVERS.get(host.driver, host.driver))
    of_cloud = tuple(_of_cloud(host, host.account, viewer)) if host.account else ()
    return tuple(fact for fact in (driver, *of_cloud) if fact.text)


def _of_cloud(host: Host, account: CloudAccount, viewer: Viewer) -> Iterator[Fact]:
    yield Fact("Cloud account", account.name, account.pk if account.owner_id == viewer.user.pk else None)
    yield Fact("Project", account.place)
    names = host.options.get("names") or {}
    for key, label in CHOSEN.items():
        yield Fact(label, str(names.get(key) or "")[:200])
    yield Fact("Server", host.provider_id, copied=host.provider_id)
    yield Fact("Link", host.get_link_display())
    yield _sign_in(host)


def _sign_in(host: Host) -> Fact:
    """As whom people sign in, with the command where a key and an address from outside let them."""
    login, floating = str(host.options.get("login") or ""), _floating(host)
    command = f"ssh {login}@{floating}" if login and floating and host.options.get("key_pair") else ""
    return Fact("Signs in as", login, copied=command)


def _floating(host: Host) -> str:
    """Floating IPs come last in a row. Whatever a cloud says, what goes into a command is an address."""
    there = host.options.get("floating_pool") and len(host.addresses) > 1
    return next(iter(addresses_of(host.addresses[-1:])), "") if there else ""
