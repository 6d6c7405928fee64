"""Clouds whose certificate nobody signed."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fake_openstack import FakeOpenStack

from platform_manager.clouds.openstack.verify import verify
from platform_manager.errors import UserError

Certify = Callable[..., tuple[ssl.SSLContext, str]]


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    """A server's context and its certificate in PEM, good for one day from ``begins``."""

    def make(address: str = "127.0.0.1", begins: datetime | None = None) -> tuple[ssl.SSLContext, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cloud")])
        begins = begins or datetime.now(UTC) - timedelta(hours=1)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = made.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = tmp_path / "server.pem"
        file.write_bytes(private + pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context, pem.decode()

    return make


async def test_a_certificate_of_the_accounts_bundle_is_trusted(certify: Certify) -> None:
    context, pem = certify()
    with FakeOpenStack(tls=context) as fake:
        assert (await verify(fake.account(ca=pem), private=True)).project == "demo"


@pytest.mark.parametrize("other", [False, True])
async def test_a_certificate_that_nobody_signed_is_refused(certify: Certify, other: bool) -> None:
    context, _ = certify()
    with FakeOpenStack(tls=context) as fake:
        with pytest.raises(UserError, match="signed by nobody") as caught:
            await verify(fake.account(ca=certify()[1] if other else ""), private=True)
        assert caught.value.field == "ca"
        assert not fake.asked


async def test_a_certificate_for_another_address_is_refused(certify: Certify) -> None:
    context, pem = certify("127.0.0.2")
    with FakeOpenStack(tls=context) as fake, pytest.raises(UserError, match="is for another name"):
        await verify(fake.account(ca=pem), private=True)


async def test_a_certificate_that_expired_is_refused(certify: Certify) -> None:
    context, pem = certify(begins=datetime.now(UTC) - timedelta(days=3))
    with FakeOpenStack(tls=context) as fake, pytest.raises(UserError, match="has expired"):
        await verify(fake.account(ca=pem), private=True)
