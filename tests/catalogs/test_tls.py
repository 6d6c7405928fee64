"""Catalogs behind TLS."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from servers import commit, drip, git_backend, reply, serving

from platform_manager import outgoing
from platform_manager.catalogs.sources import address, git
from platform_manager.errors import ProviderError, UserError


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    """A server's context; its certificate, signed by itself, lies in ``server.pem``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "catalog")])
    begins = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file = tmp_path / "server.pem"
    file.write_bytes(key.private_bytes(*formats) + made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def trusted(tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    monkeypatch.setattr(outgoing, "DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "server.pem"))
    return tls


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
