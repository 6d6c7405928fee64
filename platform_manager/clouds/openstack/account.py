"""A user's way into one cloud project and region."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from platform_manager.errors import UserError

DEFAULT_DOMAIN = "Default"


@dataclass(frozen=True)
class Account:
    """Everything the cloud's identity service (Keystone v3) asks for; secrets are never part of a ``repr``.

    Either ``user`` and ``password`` with a project, or an application credential, whose project is its own.
    A domain's id counts before its name. ``ca`` is a bundle in PEM, for clouds that signed their own certificate.
    """

    auth_url: str
    region: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    user_domain: str = DEFAULT_DOMAIN
    user_domain_id: str = ""
    project: str = ""
    project_id: str = ""
    project_domain: str = DEFAULT_DOMAIN
    project_domain_id: str = ""
    credential_id: str = ""
    credential_secret: str = field(default="", repr=False)
    ca: str = field(default="", repr=False)

    @property
    def by_credential(self) -> bool:
        return bool(self.credential_id)

    def as_dict(self) -> dict[str, Any]:
        """For storage, encrypted."""
        return asdict(self)

    def checked(self) -> Account:
        """The account with its auth URL in the form Keystone expects; UserError names the field that is wrong."""
        for name, sentence in self._missing():
            raise UserError(sentence, name)
        return Account(**{**self.as_dict(), "auth_url": auth_url(self.auth_url)})

    def _missing(self) -> list[tuple[str, str]]:
        wanted = [("auth_url", "Give the auth URL, such as https://cloud.example.org:5000/v3.")]
        if self.by_credential:
            wanted.append(("credential_secret", "Give the secret of the application credential."))
        else:
            wanted.append(("user", "Give the user's name, or an application credential."))
            wanted.append(("password", "Give the password."))
            if not self.project_id:
                wanted.append(("project", "Give the name of the project (formerly: tenant)."))
        return [(name, sentence) for name, sentence in wanted if not getattr(self, name)]


def auth_url(given: str) -> str:
    """The address of the identity service's version 3, whichever of its addresses was given. UserError."""
    address = given.strip().rstrip("/")
    parts = urlsplit(address)
    try:
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or parts.username or parts.query or parts.fragment:
        raise UserError("The auth URL looks like https://cloud.example.org:5000/v3.", "auth_url")
    for old in ("/v2.0", "/v3/auth/tokens", "/auth/tokens"):
        address = address.removesuffix(old)
    return address if address.endswith("/v3") else f"{address}/v3"
