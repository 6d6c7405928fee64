"""Catalogs behind TLS."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest
from servers import commit, drip, git_backend, reply, serving

from platform_manager.catalogs.sources import address, git
from platform_manager.errors import ProviderError, UserError


def test_repositories_and_files_come_through_tls(trusted: ssl.SSLContext, tmp_path: Path) -> None:
    commit(tmp_path / "recipes", {"a.txt": b"a"})
    with serving(git_backend(tmp_path), trusted) as server:
        assert git.fetch(f"{server}/recipes/.git", private=True).tree == {"a.txt": b"a"}
    with serving(lambda request: reply(request, b"[]"), trusted) as server:
        assert address.get(server, private=True) == b"[]"


def test_private_addresses_are_refused_through_tls_too(trusted: ssl.SSLContext) -> None:
    with serving(lambda request: reply(request, b"[]"), trusted) as server:
        with pytest.raises(UserError, match="private address"):
            address.get(server)
        with pytest.raises(UserError, match="private address"):
            git.fetch(server)


def test_time_is_over_through_tls_too(trusted: ssl.SSLContext) -> None:
    began = time.monotonic()
    with serving(drip, trusted) as server, pytest.raises(ProviderError, match="did not send everything"):
        git.fetch(server, private=True, seconds=0.5)
    assert time.monotonic() - began < 3


def test_a_certificate_that_nobody_signed_is_not_trusted(tls: ssl.SSLContext) -> None:
    with serving(lambda request: reply(request, b"[]"), tls) as server:
        for ask in (address.get, git.fetch):
            with pytest.raises(ProviderError, match="certificate that can't be trusted"):
                ask(server, private=True)
