"""The driver of each host: by its name alone, or by the cloud account in whose project the machine is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from dashboard.models import CloudAccount, CloudSession, Host
from platform_manager import wiring
from platform_manager.clouds.base import Driver
from platform_manager.errors import PlatformError, UserError

if TYPE_CHECKING:
    from platform_manager.clouds.openstack.connection import SignedIn

OPENSTACK = "openstack"
# A sign-in that is over so soon is none any more.
ENDING_SECONDS = 150.0
CONSOLE_SECONDS = 120.0


def link_of(account: CloudAccount) -> wiring.CloudLink:
    """The account's connection, kept as long as the account stays what it is; one sign-in serves all processes."""

    access = account.access()
    digest = CloudSession.digest_of(access)

    def signed_in() -> str:
        sessions = CloudSession.objects.filter(account=account, credentials=digest)
        found = sessions.filter(expires_at__gt=timezone.now() + timedelta(seconds=ENDING_SECONDS)).first()
        return str(found.state) if found else ""

    link = wiring.clouds.link(str(account.pk), access, private=account.may_be_private, signed_in=signed_in)
    if link.cloud.ends_within(ENDING_SECONDS) and (state := signed_in()):
        link.cloud.go_on_with(state)
    if (fresh := link.cloud.new_sign_in()) is not None:
        share(account, fresh, digest)
    return link


def share(account: CloudAccount, signed_in: SignedIn, credentials: str = "") -> None:
    """Let the platform's other processes go on with a sign-in."""
    credentials = credentials or CloudSession.digest_of(account.access())
    values = {"state": signed_in.state, "expires_at": signed_in.expires_at, "credentials": credentials}
    with transaction.atomic():
        # The account may be gone by now.
        if CloudAccount.objects.select_for_update(of=("self",)).filter(pk=account.pk).exists():
            CloudSession.objects.update_or_create(account=account, defaults=values)


def driver_for(host: Host) -> Driver:
    """UserError where the account is not what it takes. It reads rows: not for coroutines."""
    if host.driver != OPENSTACK:
        return wiring.driver(host.driver)
    if host.account is None:
        raise UserError(f"The cloud account of {host.name} is gone, so nothing can be done about its machine.")
    return link_of(host.account).driver


def console_of(host: Host, lines: int) -> str:
    """The end of its machine's console; "" where its cloud does not tell it now, for what goes on without."""
    try:
        return wiring.run(driver_for(host).console(str(host.pk), lines), CONSOLE_SECONDS)
    except PlatformError:
        return ""


def drivers_of(hosts: Iterable[Host]) -> list[Driver]:
    """Every driver that made one of the hosts, once."""
    found: dict[object, Driver] = {}
    for host in hosts:
        found.setdefault((host.driver, host.account_id), driver_for(host))
    return list(found.values())


def public_addresses() -> tuple[str, str]:
    """Where machines of a cloud find the platform: the address to enrol at, and the hub's host name."""
    url = settings.PM_JOIN_URL or settings.PM_URL
    return url, settings.PM_HUB_ADDRESS or urlsplit(url).hostname or ""


def unreachable() -> str:
    """Why machines of a cloud can't reach the platform, as a sentence; "" where nothing speaks against it."""
    url, hub = public_addresses()
    hosts = {urlsplit(url).hostname or "", hub}
    if hosts & {"localhost", "127.0.0.1", "::1", "0.0.0.0"}:  # noqa: S104 - compared, not bound
        return (
            f"Machines of a cloud can't reach the platform at {url}. An operator sets PM_URL, or PM_JOIN_URL and "
            "PM_HUB_ADDRESS, to an address that they can reach."
        )
    return ""
