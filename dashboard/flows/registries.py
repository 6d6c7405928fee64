"""The image registries that an environment may pull from: add, change, check and remove credentials."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from dashboard.models import Environment, RegistryCredential
from dashboard.models.auditing import record
from platform_manager.engines import registry
from platform_manager.engines.registry import Login
from platform_manager.errors import PlatformError, UserError

from .request import locked

MOST = 30
LONGEST_USER = 200
LONGEST_PASSWORD = 10_000


def add_registry(
    environment: Environment, user: User, *, server: str, username: str, password: str
) -> RegistryCredential:
    """Credentials that the registry took just now. UserError names the field that is wrong.

    Of one that takes anybody ``checked_at`` stays None: nobody knows whether they are right.
    """
    login = _checked(registry.checked_server(server), username, password)
    _check_free(environment, login.server)
    proven = _sign_in(login)
    with transaction.atomic():
        environment = locked(environment)
        _check_free(environment, login.server)
        if environment.registries.count() >= MOST:
            raise UserError(f"The environment has {MOST} registries, which is the most. Remove one first.")
        row = RegistryCredential(environment=environment, server=login.server, created_by=user)
        _settle(row, login, proven)
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError:
            raise _taken(login.server) from None
        record("registry.create", row, by=user)
    return row


def change_registry(row: RegistryCredential, user: User, *, username: str, password: str = "") -> None:
    """Another user or password, which the registry must take; a blank password stays what it was."""
    login = _checked(row.server, username, password or _login(row).password)
    proven = _sign_in(login)
    with transaction.atomic():
        locked(row.environment)
        _settle(row, login, proven)
        row.save(update_fields=["username", "secret", "checked_at", "problem"])
        record("registry.update", row, by=user, password_changed=bool(password))


def check_registry(row: RegistryCredential) -> str:
    """Sign in again; what is wrong as a sentence, "" where all is well."""
    problem, answered = "", {}
    try:
        answered = {"checked_at": timezone.now() if _sign_in(_login(row)) else None}
    except PlatformError as error:
        problem = str(error)
    # What was changed meanwhile is not what was asked about.
    same = RegistryCredential.objects.filter(pk=row.pk, username=row.username)
    same.update(problem=problem, **answered)
    row.checked_at = answered.get("checked_at", row.checked_at)
    return problem


@transaction.atomic
def remove_registry(row: RegistryCredential, user: User) -> None:
    """Forget them. Services keep them in their swarm until they are deployed again."""
    locked(row.environment)
    record("registry.delete", row, by=user)
    row.delete()


def _checked(server: str, username: str, password: str) -> Login:
    username = username.strip()
    if not username or ":" in username or not username.isprintable() or len(username) > LONGEST_USER:
        raise UserError(
            f"Write the user, of at most {LONGEST_USER} characters and without a colon. "
            "Where the registry gives tokens, it says which user belongs to them.",
            "username",
        )
    if not password or len(password) > LONGEST_PASSWORD or not password.isprintable():
        raise UserError(
            f"Write the password or the access token, in one line of at most {LONGEST_PASSWORD} characters.", "password"
        )
    return Login(server, username, password)


def _check_free(environment: Environment, server: str) -> None:
    if environment.registries.filter(server=server).exists():
        raise _taken(server)


def _taken(server: str) -> UserError:
    return UserError(f"The environment has credentials for {server} already: change those.", "server")


def _sign_in(login: Login) -> bool:
    """Whether the registry tells right credentials from wrong ones; UserError where it refuses these."""
    private, ca, proxy = bool(settings.PM_PRIVATE_REGISTRIES), settings.PM_REGISTRY_CA, settings.PM_CATALOG_PROXY
    return registry.check(login, private=private, ca=ca, proxy=proxy)


def _login(row: RegistryCredential) -> Login:
    secret = row.secret or {}
    return Login(row.server, secret.get("user", row.username), secret.get("password", ""))


def _settle(row: RegistryCredential, login: Login, proven: bool) -> None:
    row.username = login.user
    row.secret = {"user": login.user, "password": login.password}
    row.checked_at, row.problem = timezone.now() if proven else None, ""
