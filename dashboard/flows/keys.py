"""Change the key that encrypts secrets at rest: a new one in front, every row written again, the old ones dropped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Model, TextField, Value
from django.db.models.functions import Cast

from dashboard.models.auditing import record
from dashboard.models.fields import EncryptedJSONField, cipher
from platform_manager.errors import UserError

BATCH = 200
# What allauth gives its adapter to encrypt, in the JSON of an authenticator; passkeys hold public keys only.
FACTOR_SECRETS = ("secret", "seed")
UNREADABLE = (
    "Put the key that wrote them behind the others in {place} and run it again; what could be read is done already."
)


@dataclass
class Rotation:
    """How many secrets were written again, how many had the first key already, and which no key reads."""

    written: int = 0
    current: int = 0
    unreadable: list[str] = field(default_factory=list)


def place() -> str:
    return "PM_ENCRYPTION_KEYS" if settings.PM_ENCRYPTION_KEYS_GIVEN else str(settings.PM_ENCRYPTION_FILE)


def new_key() -> str:
    """A key in front of the others: in the file of keys, or for the operator to put there."""
    key = Fernet.generate_key().decode()
    if not settings.PM_ENCRYPTION_KEYS_GIVEN:
        _write_keys([key, *settings.PM_ENCRYPTION_KEYS])
        record("keys.create", name="encryption keys")
    return key


def rotate(told: Callable[[str], None] = lambda line: None) -> Rotation:
    """Write every secret again that another key than the first one wrote. It may be stopped and run again."""
    first = Fernet(settings.PM_ENCRYPTION_KEYS[0])
    done = Rotation()
    for model, column in encrypted_columns():
        before = done.written
        for batch in _batches(model):
            _rotate_rows(model, column, batch, first, done)
        told(f"{model._meta.label}.{column}: {done.written - before} written again")
    before = done.written
    for batch in _batches(Authenticator):
        _rotate_factors(batch, first, done)
    told(f"second factors: {done.written - before} written again")
    if done.written:
        record("keys.rotate", name="encryption keys", written=done.written, unreadable=len(done.unreadable))
    return done


def forget_old_keys() -> int:
    """Drop all keys but the first from their file; how many went. UserError while a secret still needs one."""
    if settings.PM_ENCRYPTION_KEYS_GIVEN:
        raise UserError("The keys are in PM_ENCRYPTION_KEYS: take the old ones out there.")
    done = rotate()
    if done.unreadable:
        raise UserError(f"{len(done.unreadable)} secrets can't be read. {UNREADABLE.format(place=place())}")
    first, *old = settings.PM_ENCRYPTION_KEYS
    if old:
        _write_keys([first])
        record("keys.delete", name="encryption keys", dropped=len(old))
    return len(old)


def encrypted_columns() -> Iterator[tuple[type[Model], str]]:
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, EncryptedJSONField):
                yield model, column.attname


def _batches(model: type[Model]) -> Iterator[list[Any]]:
    """The primary keys of all rows, some at a time."""
    rows = model._base_manager.order_by("pk").values_list("pk", flat=True)
    keys = list(rows[:BATCH])
    while keys:
        yield keys
        keys = list(rows.filter(pk__gt=keys[-1])[:BATCH])


def _again(token: str, first: Fernet) -> str | None:
    """The secret under the first key; None where it is already. InvalidToken when no key reads it."""
    with suppress(InvalidToken):
        first.decrypt(token.encode())
        return None
    return first.encrypt(cipher().decrypt(token.encode())).decode()


@transaction.atomic
def _rotate_rows(model: type[Model], column: str, batch: list[Any], first: Fernet, done: Rotation) -> None:
    # As text: the column itself would be read and written decrypted.
    rows = model._base_manager.annotate(token=Cast(column, TextField()))
    for pk, token in rows.filter(pk__in=batch).values_list("pk", "token"):
        if not token:
            continue
        try:
            again = _again(token, first)
        except InvalidToken:
            done.unreadable.append(f"{model._meta.label} {pk}")
            continue
        # Whoever wrote the row meanwhile did so with the first key.
        changed = again and rows.filter(pk=pk, token=token).update(**{column: Value(again, output_field=TextField())})
        done.written += bool(changed)
        done.current += not changed


@transaction.atomic
def _rotate_factors(batch: list[Any], first: Fernet, done: Rotation) -> None:
    for factor in Authenticator.objects.select_for_update().filter(pk__in=batch):
        for name in FACTOR_SECRETS:
            if not isinstance(factor.data.get(name), str):
                continue
            try:
                again = _again(factor.data[name], first)
            except InvalidToken:
                done.unreadable.append(f"second factor {factor.pk}")
                continue
            if again:
                factor.data[name] = again
                factor.save(update_fields=["data"])
            done.written += bool(again)
            done.current += not again


def _write_keys(keys: list[str]) -> None:
    """The file, whole or not at all; only its owner reads it."""
    file: Path = settings.PM_ENCRYPTION_FILE
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write("\n".join(keys) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
