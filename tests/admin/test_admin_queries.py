"""No page of the admin site asks more of the database because there are more rows; make bench does it at full size."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.admin.crowd import crowd, pages

pytestmark = pytest.mark.django_db

MOST = 20


def test_every_page_takes_few_queries(client: Client) -> None:
    client.force_login(crowd(users=120, environments=110, entries=120))
    found = {}
    for name, path in pages().items():
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        found[name] = len(captured)
    assert {name: count for name, count in found.items() if count > MOST} == {}
