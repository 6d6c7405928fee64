"""A real image registry (Debian's docker-registry) for tests: TLS by a certificate of its own, users with a password.

It listens on the gateway of this machine's default bridge, where nested engines reach it as hosts reach any registry.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import secrets
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .lab import connects, free_port, until

USER = "puller"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
SECONDS = 20


@dataclass
class Registry:
    """``server`` is its name as in images; ``password`` is "" where it takes anybody."""

    server: str
    folder: Path
    password: str = field(repr=False)
    user: str = USER

    @property
    def certificate(self) -> str:
        """In PEM; whoever is to trust the registry needs it."""
        return (self.folder / "ca.crt").read_text()

    def push(self, image: str, name: str) -> str:
        """Put an image of this machine's engine under NAME:TAG; its digest. Gone there is what had the tag before."""
        repository, _, tag = name.rpartition(":")
        with self._session() as web, _saved(image) as saved:
            (listed,) = json.loads(_read(saved, "manifest.json"))
            config = self._blob(web, repository, _read(saved, listed["Config"]), CONFIG)
            layers = [
                self._blob(web, repository, gzip.compress(_read(saved, path), 1, mtime=0), LAYER)
                for path in listed["Layers"]
            ]
            manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
            url = f"https://{self.server}/v2/{repository}/manifests/{tag}"
            answer = web.put(url, json.dumps(manifest), headers={"Content-Type": MANIFEST}, timeout=SECONDS)
            answer.raise_for_status()
            return answer.headers["Docker-Content-Digest"]

    def _blob(self, web: requests.Session, repository: str, data: bytes, kind: str) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        begun = web.post(f"https://{self.server}/v2/{repository}/blobs/uploads/", timeout=SECONDS)
        begun.raise_for_status()
        place = begun.headers["Location"]
        sent = web.put(f"{place}{'&' if '?' in place else '?'}digest={quote(digest)}", data, timeout=SECONDS)
        sent.raise_for_status()
        return {"mediaType": kind, "size": len(data), "digest": digest}

    def _session(self) -> requests.Session:
        web = requests.Session()
        web.trust_env = False
        web.verify = str(self.folder / "ca.crt")
        if self.password:
            web.auth = (self.user, self.password)
        return web

    def trusted_by(self, container: str) -> None:
        """Engines read certificates anew for each pull, so the one in the container needs no restart."""
        script = 'mkdir -p "$1" && cat >"$1/ca.crt"'
        words = ["docker", "exec", "-i", container, "sh", "-c", script, "sh", f"/etc/docker/certs.d/{self.server}"]
        subprocess.run(words, input=self.certificate, text=True, check=True, capture_output=True)


@contextmanager
def running_registry(address: str, *, authenticated: bool = True) -> Iterator[Registry]:
    """A registry without images on a free port of ``address``; nothing of it is left afterwards."""
    program = shutil.which("docker-registry")
    assert program, "docker-registry is missing: run scripts/setup.sh dev"
    folder, port = Path(tempfile.mkdtemp(prefix="pm-registry-")), free_port(address)
    password = secrets.token_hex(12) if authenticated else ""
    registry = Registry(f"{address}:{port}", folder, password)
    _certify(folder, address, registry.server)
    (folder / "config.yml").write_text(json.dumps(_configuration(registry)))
    if password:
        (folder / "htpasswd").write_text(f"{USER}:{_bcrypt(password)}\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", folder / "config.yml"], stdout=log, stderr=log)
    try:
        until(lambda: connects(address, port) or process.poll() is not None, what="the registry answers")
        assert process.poll() is None, (folder / "log").read_text()
        yield registry
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder)


def _configuration(registry: Registry) -> dict[str, object]:
    """Of JSON, which is YAML too."""
    folder = registry.folder
    tls = {"certificate": str(folder / "ca.crt"), "key": str(folder / "key.pem")}
    asked = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}} if registry.password else {}
    return {
        "version": 0.1,
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "images")}},
        "http": {"addr": registry.server, "secret": secrets.token_hex(8), "tls": tls},
        **({"auth": asked} if asked else {}),
    }


def _certify(folder: Path, address: str, named: str) -> None:
    """A key, and a certificate for the address that is its own authority; two of one name would be taken for one."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, named)])
    begins = datetime.now(UTC) - timedelta(hours=1)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(*formats))
    (folder / "ca.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _bcrypt(password: str) -> str:
    """As htpasswd files of registries need it; Debian's Perl knows how, and is always there."""
    script = 'chomp(my $password = <STDIN>); print crypt($password, "\\$2y\\$05\\$$ARGV[0]u")'
    words = ["perl", "-e", script, secrets.token_hex(11)[:21]]
    made = subprocess.run(words, input=password, text=True, check=True, capture_output=True).stdout
    assert made.startswith("$2y$05$"), "this machine's libcrypt knows no bcrypt"
    return made


@contextmanager
def _saved(image: str) -> Iterator[tarfile.TarFile]:
    data = subprocess.run(["docker", "save", image], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        yield archive


def _read(archive: tarfile.TarFile, path: str) -> bytes:
    member = archive.extractfile(path)
    assert member is not None, path
    with member:
        return member.read()
