"""Whether an account works: what to say before it is stored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from openstack.connection import Connection

from platform_manager.errors import UserError

from .account import Account
from .connection import Cloud, SignedIn, regions_in, services_in
from .refusals import no_service

NEEDED = ("compute", "network", "image")


@dataclass(frozen=True)
class Verified:
    """``services`` are those of the account's region; of any region where the account names none."""

    project_id: str
    project: str
    regions: list[str]
    services: frozenset[str]
    signed_in: SignedIn | None = field(default=None, compare=False)


async def verify(account: Account, *, private: bool = False) -> Verified:
    """Signs in and asks each needed service once.

    A PlatformError says which of URL, credentials, region or service is wrong; a UserError names the field. Without
    a region only the sign-in is tried, unless the cloud has just one.
    """
    cloud = Cloud(account, private=private)
    try:
        return await _verified(cloud)
    finally:
        cloud.close()


async def _verified(cloud: Cloud) -> Verified:
    access, region = await cloud.access(), cloud.account.region
    if not access.project_id:
        raise UserError("The account gives access to no project: name one.", "project")
    regions = regions_in(access)
    if region and region not in regions:
        offered = f"choose one of {', '.join(regions[:20])}" if regions else "it offers none"
        raise UserError(f"The cloud has no region {region[:80]}: {offered}.", "region")
    services = services_in(access, region)
    if region or len(regions) == 1:
        for missing in (service for service in NEEDED if service not in services):
            raise no_service(missing, region)
        await asyncio.gather(*(cloud.ask(look) for look in (_compute, _network, _image)))
    project = str(access.project_name or "")
    return Verified(str(access.project_id), project, regions, frozenset(services), cloud.new_sign_in())


def _compute(cloud: Connection) -> None:
    cloud.compute.get_limits()


def _network(cloud: Connection) -> None:
    next(cloud.network.networks(limit=1), None)


def _image(cloud: Connection) -> None:
    next(cloud.image.images(limit=1), None)
