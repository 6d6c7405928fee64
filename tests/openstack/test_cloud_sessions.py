"""One sign-in at a cloud serves all processes of the platform, for as long as it lasts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from fake_openstack import FakeOpenStack

from dashboard.flows import clouds
from dashboard.flows.cloud_hosts import inventory_of
from dashboard.models import CloudAccount, CloudSession, Environment
from dashboard.operations.clouds.cloud_look import Memory, look_at
from dashboard.operations.clouds.drivers import link_of
from platform_manager import wiring
from platform_manager.errors import UserError
from tests.support.lab import until

pytestmark = pytest.mark.django_db
SIGN_IN = "POST /identity/v3/auth/tokens"


def as_another_process(account: CloudAccount) -> CloudAccount:
    """Nothing of the account is kept in memory; its row, read anew."""
    wiring.clouds.close(str(account.pk))
    return CloudAccount.objects.get(pk=account.pk)


def test_the_sign_in_that_tried_an_account_is_used_from_then_on(fake: FakeOpenStack, account: CloudAccount) -> None:
    inventory_of(account)
    inventory_of(as_another_process(account))
    assert fake.count(SIGN_IN) == 1


def test_a_new_sign_in_is_shared(fake: FakeOpenStack, account: CloudAccount) -> None:
    CloudSession.objects.all().delete()
    inventory_of(account)
    link_of(account)
    inventory_of(as_another_process(account))
    assert fake.count(SIGN_IN) == 2


def test_one_that_is_over_counts_no_more(fake: FakeOpenStack, account: CloudAccount) -> None:
    CloudSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    inventory_of(account)
    assert fake.count(SIGN_IN) == 2


def test_one_that_the_cloud_no_longer_takes_is_renewed(fake: FakeOpenStack, account: CloudAccount) -> None:
    fake.expire_tokens()
    assert inventory_of(account).flavors
    assert fake.count(SIGN_IN) > 1


def test_other_credentials_do_not_go_on_with_it(fake: FakeOpenStack, account: CloudAccount) -> None:
    account.secret = {**account.secret, "password": "another"}
    account.save()
    with pytest.raises(UserError, match="refused to sign in"):
        inventory_of(account)


def test_the_watch_renews_it_before_it_is_over(fake: FakeOpenStack, account: CloudAccount) -> None:
    soon = timezone.now() + timedelta(minutes=10)
    fake.expires_at = soon
    clouds.check_account(account)
    fake.expires_at = timezone.now() + timedelta(hours=8)

    look_at(account, Memory())

    assert CloudSession.objects.get().expires_at > soon
    signed_in = fake.count(SIGN_IN)
    look_at(account, Memory())
    inventory_of(as_another_process(account))
    assert fake.count(SIGN_IN) == signed_in


def test_where_sign_ins_are_short_they_are_not_renewed_ahead(fake: FakeOpenStack, account: CloudAccount) -> None:
    fake.issued_at = timezone.now()
    fake.expires_at = timezone.now() + timedelta(minutes=10)
    clouds.check_account(account)
    signed_in = fake.count(SIGN_IN)
    look_at(as_another_process(account), Memory())
    assert fake.count(SIGN_IN) == signed_in


def test_a_process_whose_sign_in_ends_takes_over_anothers(fake: FakeOpenStack, account: CloudAccount) -> None:
    fake.expires_at = timezone.now() + timedelta(seconds=140)
    CloudSession.objects.all().delete()
    inventory_of(account)
    fake.expires_at = timezone.now() + timedelta(hours=8)
    clouds.check_account(account)  # another connection signs in
    signed_in = fake.count(SIGN_IN)
    inventory_of(account, age=0)
    assert fake.count(SIGN_IN) == signed_in


def test_it_is_stored_encrypted(fake: FakeOpenStack, account: CloudAccount) -> None:
    (token,) = fake.tokens
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM dashboard_cloudsession")
        row = repr(cursor.fetchall())
    assert token in CloudSession.objects.get().state
    assert token not in row and "pa55" not in row


def test_an_account_that_was_deleted_leaves_none(account: CloudAccount, ann: User) -> None:
    stale = CloudAccount.objects.get(pk=account.pk)
    clouds.delete_account(account, by=ann)
    assert not CloudSession.objects.exists()
    inventory_of(stale)
    link_of(stale)
    assert not CloudSession.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_lists_are_asked_for_as_soon_as_the_form_is_opened(
    fake: FakeOpenStack, environment: Environment, account: CloudAccount, ann: User
) -> None:
    environment.hosts.create(name="fw-01", driver="openstack", account=account)
    client = Client()
    client.force_login(ann)
    assert "Asking the cloud what it has" in client.get(reverse("hosts_add", args=[environment.pk])).content.decode()
    until(lambda: fake.count("GET /compute/v2.1/os-keypairs") == 1, what="the cloud is asked")
