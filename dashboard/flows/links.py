"""Who opens the link between the platform and hosts of a cloud: they dial it, or it dials them."""

from __future__ import annotations

from django.conf import settings

from dashboard.models import Environment, EnvironmentKey, LinkKind
from dashboard.operations.clouds.drivers import unreachable
from platform_manager.engines.dialling import new_key_pair
from platform_manager.errors import UserError

NO_DIALLING = (
    "This platform dials no hosts. An operator sets PM_DIRECT_FROM to the network from which it would, so that clouds "
    "can let it in."
)


def may_dial() -> bool:
    """Whether operators let the platform dial hosts."""
    return bool(settings.PM_DIRECT_FROM)


def first_link(last: object) -> str:
    """What was chosen last where that is possible, else what works."""
    if last in LinkKind.values and not refusal(str(last)):
        return str(last)
    return LinkKind.DIRECT if unreachable() and may_dial() else LinkKind.REVERSE


def refusal(link: str) -> str:
    """Why links of this kind can't be had, as a sentence; "" where they can."""
    if link == LinkKind.DIRECT:
        return "" if may_dial() else NO_DIALLING
    sentence = unreachable()
    return f"{sentence} Or let the platform dial the hosts." if sentence and may_dial() else sentence


def check_link(link: str) -> None:
    """UserError at ``link`` where such links can't be had."""
    if link not in LinkKind.values:
        raise UserError("Choose who opens the link.", "link")
    if sentence := refusal(link):
        raise UserError(sentence, "link")


def link_note(link: str, network: str, *, floating: bool) -> str:
    """What the link takes, for who is about to add hosts."""
    if link == LinkKind.REVERSE:
        return f"The hosts dial the platform, for which {network} needs a router."
    who = f"SSH is let in from {settings.PM_DIRECT_FROM} alone."
    if floating:
        return f"The platform dials the hosts at their floating IPs. {who}"
    return f"The platform dials the hosts in {network}, which it has to reach; take floating IPs where it can't. {who}"


def make_key(environment: Environment) -> EnvironmentKey:
    """The key with which the platform signs in to the environment's hosts, found or made. In a transaction that has
    locked the environment."""
    found = EnvironmentKey.objects.filter(environment=environment).first()
    if found is not None:
        return found
    private, public = new_key_pair(f"platform-manager {environment.pk}")
    return EnvironmentKey.objects.create(environment=environment, public_key=public, private_key={"private": private})
