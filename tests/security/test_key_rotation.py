"""Secrets at rest under another key: all of them, in parts, without losing any."""

from __future__ import annotations

import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from dashboard.flows import keys
from dashboard.models import AuditEntry, Revision
from tests import factories

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def key_file(settings: Any, tmp_path: Path) -> Path:
    settings.PM_ENCRYPTION_KEYS, settings.PM_ENCRYPTION_KEYS_GIVEN = [OLD], False
    settings.PM_ENCRYPTION_FILE = tmp_path / "encryption-key"
    settings.PM_ENCRYPTION_FILE.write_text(OLD)
    return tmp_path / "encryption-key"


def run(*words: str) -> str:
    out = StringIO()
    call_command("rotate_keys", *words, stdout=out)
    return out.getvalue()


def restart(settings: Any, key_file: Path) -> None:
    settings.PM_ENCRYPTION_KEYS = key_file.read_text().split()


def tokens() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT answers FROM dashboard_revision")
        return [token for (token,) in cursor.fetchall()]


def test_after_a_rotation_the_old_key_is_needed_no_more(settings: Any, key_file: Path) -> None:
    user = factories.user()
    stack = factories.stack(factories.environment(user), answers={"PASSWORD": "s3cret-answer"})
    totp = TOTP.activate(user, "JBSWY3DPEHPK3PXP").instance
    codes = RecoveryCodes.activate(user)
    before = codes.get_unused_codes()

    assert "Restart" in run("--new")
    restart(settings, key_file)
    # Answers, files and contents of the revision, and two second factors.
    assert "5 secrets written again" in run()
    assert "1 old keys dropped" in run("--forget")
    restart(settings, key_file)

    assert len(settings.PM_ENCRYPTION_KEYS) == 1
    assert settings.PM_ENCRYPTION_KEYS != [OLD]
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert Revision.objects.get(stack=stack).answers == {"PASSWORD": "s3cret-answer"}
    assert get_adapter().decrypt(Authenticator.objects.get(pk=totp.pk).data["secret"]) == "JBSWY3DPEHPK3PXP"
    with pytest.raises(ImproperlyConfigured):
        settings.PM_ENCRYPTION_KEYS = [OLD]
        Revision.objects.get(stack=stack)
    settings.PM_ENCRYPTION_KEYS = key_file.read_text().split()
    fresh = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)
    assert RecoveryCodes(fresh).get_unused_codes() == before
    actions = set(AuditEntry.objects.filter(via=AuditEntry.Via.COMMAND).values_list("action", flat=True))
    assert actions == {"keys.create", "keys.rotate", "keys.delete"}


def test_a_rotation_that_was_stopped_goes_on(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "BATCH", 2)
    stack = factories.stack(factories.environment())
    for n in range(2, 8):
        factories.revision(stack, n, answers={"N": str(n)})
    settings.PM_ENCRYPTION_KEYS = [NEW, OLD]
    batches = iter(keys._batches(Revision))
    done, first = keys.Rotation(), Fernet(NEW)
    keys._rotate_rows(Revision, "answers", next(batches), first, done)
    assert done.written == 2

    again = keys.rotate()
    assert (again.written, again.current) == (5 + 7 + 7, 2)
    settings.PM_ENCRYPTION_KEYS = [NEW]
    assert {revision.answers.get("N") for revision in stack.revisions.exclude(n=1)} == set("234567")


def test_a_second_run_writes_nothing(settings: Any) -> None:
    factories.stack(factories.environment())
    settings.PM_ENCRYPTION_KEYS = [NEW, OLD]
    run()
    before = tokens()
    assert "0 secrets written again, 3 had the first key already" in run()
    assert tokens() == before


def test_a_key_that_is_missing_is_a_sentence_and_loses_nothing(settings: Any) -> None:
    stack = factories.stack(factories.environment())
    lost = stack.revisions.get(n=1).pk
    settings.PM_ENCRYPTION_KEYS = [NEW]
    factories.revision(stack, 2, answers={"N": "2"})
    before = tokens()
    with pytest.raises(CommandError, match=rf"reads dashboard\.Revision {lost}\. Put the key that wrote them"):
        run()
    with pytest.raises(CommandError, match="can't be read"):
        run("--forget")
    assert tokens() == before


def test_a_word_that_is_no_key_is_named(settings: Any) -> None:
    settings.PM_ENCRYPTION_KEYS = ["nonsense"]
    with pytest.raises(ImproperlyConfigured, match="PM_ENCRYPTION_KEYS"):
        factories.stack(factories.environment())


def test_keys_of_the_environment_are_the_operators_to_change(settings: Any, key_file: Path) -> None:
    settings.PM_ENCRYPTION_KEYS_GIVEN = True
    told = run("--new")
    Fernet(told.split()[0])
    assert "PM_ENCRYPTION_KEYS" in told
    assert key_file.read_text() == OLD
    with pytest.raises(CommandError, match="take the old ones out"):
        run("--forget")
