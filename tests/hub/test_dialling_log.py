"""What the hub's log says of hosts that can't be dialled."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from dashboard.hub import service
from dashboard.hub.service import HubService

HOST = "01900000-0000-7000-8000-000000000000"
SILENT, CLOSED = "192.0.2.1: no answer within 10 s", "192.0.2.1: Connection refused"


@pytest.fixture
def hub(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> HubService:
    settings.PM_SOCKETS, settings.PM_HUB_KEY = tmp_path / "links", tmp_path / "key"
    monkeypatch.setattr(service.direct, "refused", lambda host_id, reason: None)
    return HubService()


async def test_a_host_that_stays_away_takes_one_line_until_the_reason_changes(
    hub: HubService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "platform.hub")
    for reason in (SILENT, SILENT, SILENT, CLOSED, CLOSED):
        await hub._refused(HOST, reason)
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"host {HOST} can't be dialled: {reason}" for reason in (SILENT, CLOSED)]
