"""A host's token: one for all the tries to make its machine."""

from __future__ import annotations

import pytest
from django.utils import timezone

from dashboard.models import EnrolmentToken
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_token_that_is_issued_again_is_the_same_and_good_for_longer() -> None:
    host = factories.host(factories.environment())
    first = EnrolmentToken.issue(host)
    EnrolmentToken.objects.update(expires_at=timezone.now())
    assert EnrolmentToken.issue(host, anew=False) == first
    assert EnrolmentToken.objects.get(host=host).expires_at > timezone.now()


def test_a_used_token_stays_used_unless_the_machine_is_a_new_one() -> None:
    host = factories.host(factories.environment())
    EnrolmentToken.issue(host)
    EnrolmentToken.objects.update(used_at=timezone.now())
    EnrolmentToken.issue(host, anew=False)
    assert EnrolmentToken.objects.get(host=host).used_at is not None
    EnrolmentToken.issue(host)
    assert EnrolmentToken.objects.get(host=host).used_at is None


def test_two_hosts_have_two_tokens() -> None:
    environment = factories.environment()
    assert EnrolmentToken.issue(factories.host(environment)) != EnrolmentToken.issue(factories.host(environment))
