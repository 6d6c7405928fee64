"""Cloud accounts: add, check, change, share and delete them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from dashboard.models import CloudAccount, CloudPreset, Environment, Right
from dashboard.models.auditing import record
from dashboard.models.clouds import preset_is_private
from dashboard.models.permissions import is_operator, rights_of
from dashboard.operations.clouds.drivers import share
from platform_manager import wiring
from platform_manager.clouds.openstack.account import Account, auth_url
from platform_manager.clouds.openstack.readers import read_file
from platform_manager.errors import PlatformError, UserError

from .cleanups import RUNNING, unfinished

if TYPE_CHECKING:
    from platform_manager.clouds.openstack.verify import Verified

MOST_ACCOUNTS = 50
VERIFY_SECONDS = 90.0
SECRETS = ("password", "credential_secret")
# What the cloud's answer settles; the rest of a row is written by others meanwhile.
SETTLED = ["secret", "auth_url", "region", "regions", "project", "user", "verified_at", "problem"]


def account_of_file(content: str, chosen: str = "") -> Account:
    """The account of an openrc or a clouds.yaml; UserError at ``cloud`` where the file has several, naming them."""
    found = read_file(content)
    if len(found) == 1:
        return next(iter(found.values()))
    if chosen in found:
        return found[chosen]
    raise UserError(f"The file has several clouds: choose one of {', '.join(sorted(found))}.", "cloud")


def with_preset(account: Account, preset: CloudPreset | None) -> Account:
    """The account with what the preset knows. UserError for another cloud's: no password goes to a wrong one."""
    if preset is None or not preset.auth_url:
        return account
    if account.auth_url and auth_url(account.auth_url) != auth_url(preset.auth_url):
        raise UserError(
            f"The auth URL given is not the one of {preset}: choose the cloud that it belongs to.", "preset"
        )
    return replace(account, auth_url=preset.auth_url, user_domain=preset.domain, project_domain=preset.domain)


def add_account(owner: User, *, name: str, account: Account, preset: CloudPreset | None = None) -> CloudAccount:
    """A new account, after the cloud has accepted it. UserError names the field that is wrong."""
    name = _checked_name(owner, name)
    if owner.cloud_accounts.count() >= MOST_ACCOUNTS:
        raise UserError(f"You have {MOST_ACCOUNTS} cloud accounts, which is the most. Delete one you do not need.")
    account = with_preset(account, preset).checked()
    found, account = _verified(account, preset)
    made = CloudAccount(owner=owner, name=name, preset=preset)
    _settle(made, account, found)
    try:
        with transaction.atomic():
            made.save()
            _keep_sign_in(made, found)
            record("cloud_account.create", made, by=owner, cloud=made.auth_url, region=made.region)
    except IntegrityError:
        raise UserError(f"You have a cloud account called {name} already. Choose another name.", "name") from None
    return made


def _checked_name(owner: User, name: str, but: CloudAccount | None = None) -> str:
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise UserError("Give the account a name.", "name")
    if len(name) > 60:
        raise UserError(f"The name has {len(name)} characters; 60 is the most.", "name")
    same = owner.cloud_accounts.filter(name__iexact=name)
    if but is not None:
        same = same.exclude(pk=but.pk)
    if same.exists():
        raise UserError(f"You have a cloud account called {name} already. Choose another name.", "name")
    return name


def _verified(account: Account, preset: CloudPreset | None) -> tuple[Verified, Account]:
    """What the cloud says to the account, and the account with its region where there is only one."""
    private = bool(settings.PM_PRIVATE_CLOUDS) or preset_is_private(preset, account.auth_url)
    ca = account.ca or (preset.ca if preset else "")
    found = wiring.verify(replace(account, ca=ca), private=private, seconds=VERIFY_SECONDS)
    allowed = [region for region in found.regions if preset is None or preset.allows(region)]
    if not allowed:
        raise UserError(f"The project has none of the regions that operators allow of {preset or 'it'}.", "region")
    if account.region and account.region not in allowed:
        raise UserError(f"Operators allow only these regions of {preset}: {', '.join(allowed)}.", "region")
    if not account.region and len(allowed) == 1:
        account = replace(account, region=allowed[0])
    return found, account


def _settle(row: CloudAccount, account: Account, found: Verified) -> None:
    """Write into the row what is true now."""
    preset = row.preset
    row.secret = account.as_dict()
    row.auth_url, row.region = account.auth_url, account.region
    row.regions = sorted(region for region in found.regions if preset is None or preset.allows(region))
    row.project = (found.project or account.project)[:200]
    row.user = (account.user or f"application credential {account.credential_id}")[:200]
    row.verified_at, row.problem = timezone.now(), ""


def _keep_sign_in(row: CloudAccount, found: Verified) -> None:
    """What is done next with the account goes on with the sign-in that tried it."""
    if found.signed_in is not None:
        share(row, found.signed_in)


def check_account(row: CloudAccount) -> str:
    """Ask the cloud again; what is wrong as a sentence, "" where all is well."""
    try:
        found, account = _verified(row.access(), row.preset)
    except PlatformError as error:
        row.problem = str(error)
        row.save(update_fields=["problem"])
        return row.problem
    secret = row.secret
    _settle(row, replace(account, ca=(secret or {}).get("ca", "")), found)
    with transaction.atomic():
        fresh = CloudAccount.objects.select_for_update(of=("self",)).get(pk=row.pk)
        # What was changed while the cloud was asked is not what it was asked about.
        if fresh.secret == secret:
            row.save(update_fields=SETTLED)
            _keep_sign_in(row, found)
    return ""


def change_account(row: CloudAccount, *, by: User, name: str, region: str = "", secret: str = "") -> None:
    """Another name, region, password or application credential's secret; verified before it is kept."""
    name = _checked_name(row.owner, name, but=row)
    region, written, found = region.strip(), ["name"], None
    if (region and region != row.region) or secret:
        if region and region != row.region:
            _check_region_free(row)
        account = replace(row.access(), region=region or row.region)
        if secret:
            account = replace(account, **{"credential_secret" if account.by_credential else "password": secret})
        try:
            found, account = _verified(account, row.preset)
        except UserError as error:
            raise UserError(str(error), "secret" if error.field in SECRETS else error.field) from None
        _settle(row, replace(account, ca=(row.secret or {}).get("ca", "")), found)
        written += SETTLED
    row.name = name
    try:
        with transaction.atomic():
            before = CloudAccount.objects.select_for_update(of=("self",)).get(pk=row.pk)
            if before.region and before.region != row.region:
                # Hosts may have come while the cloud was asked, and would be looked for where they are not.
                _check_region_free(before)
            row.save(update_fields=written)
            if found is not None:
                _keep_sign_in(row, found)
            record("cloud_account.update", row, by=by, region=row.region, secret_changed=bool(secret))
    except IntegrityError:
        raise UserError(f"You have a cloud account called {name} already. Choose another name.", "name") from None


def _check_region_free(row: CloudAccount) -> None:
    if row.hosts.exists():
        raise UserError("Hosts use this account in its region: add another account for another region.", "region")
    if unfinished(row) is not None:
        raise UserError(RUNNING, "region")


def shareable_with(user: User) -> list[Environment]:
    """The environments in which the user may add hosts."""
    found = Environment.objects.of_member(user).alive()
    operator = is_operator(user)
    return [one for one in found if Right.HOSTS in rights_of(one.role_of(user), operator=operator)]


@transaction.atomic
def share_account(row: CloudAccount, chosen: Iterable[UUID], *, by: User) -> None:
    """Let the members of these environments, and of no others, add hosts with the account."""
    allowed = {one.pk: one for one in [*shareable_with(by), *row.environments.all()]}
    wanted = [allowed[pk] for pk in chosen if pk in allowed]
    before = set(row.environments.values_list("pk", flat=True))
    row.environments.set(wanted)
    if before != {one.pk for one in wanted}:
        record("cloud_account.share", row, by=by, environments=[one.name for one in wanted])


def hosts_using(row: CloudAccount) -> str:
    """Which hosts keep the account from being deleted, as a sentence; "" where none does."""
    hosts = row.hosts.select_related("environment").order_by("environment__name", "name")
    count = len(hosts)
    if not count:
        return ""
    where = ", ".join(sorted({host.environment.name for host in hosts}))
    return (
        f"{count} {'host' if count == 1 else 'hosts'} of {where} {'is' if count == 1 else 'are'} made with this "
        "account: remove them first, or nobody could remove their machines."
    )


def why_kept(row: CloudAccount) -> str:
    """Why the account can't be deleted now, as a sentence; "" where it can."""
    return hosts_using(row) or (RUNNING if unfinished(row) is not None else "")


@transaction.atomic
def delete_account(row: CloudAccount, *, by: User) -> None:
    """Forget the credentials; nothing changes in the cloud."""
    fresh = CloudAccount.objects.select_for_update(of=("self",)).get(pk=row.pk)
    refusal = why_kept(fresh)
    if refusal:
        raise UserError(refusal)
    record("cloud_account.delete", fresh, by=by)
    key = str(fresh.pk)
    fresh.delete()
    transaction.on_commit(lambda: wiring.clouds.close(key))
