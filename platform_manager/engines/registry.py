"""Image registries: which one an image comes from, whether credentials are good there, and how the CLI is given them.

Registries are hostile: their answers are capped, no redirect is followed, and where the platform may go is decided by
:mod:`platform_manager.outgoing`.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import requests

from platform_manager.errors import UserError
from platform_manager.outgoing import caused_by, is_forbidden, is_of_proxy, session

# The registry of images whose names have none, and where it answers.
DEFAULT = "docker.io"
# What images without a registry come from is known to the Docker CLI under this host.
DEFAULT_HOST = f"index.{DEFAULT}"
DEFAULT_KEY = f"https://{DEFAULT_HOST}/v1/"
ANSWER_SECONDS = 10.0
CHECK_SECONDS = 45.0
TOKEN_SECONDS = 15.0
TOKEN_BYTES = 64 * 1024
REFUSED = (401, 403)
SERVER = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\d{1,5})?")
CHALLENGE = re.compile(r'(\w+)="([^"]{0,2000})"')

PRIVATE = (
    "{server} has an address that is not public. An operator can allow such registries with the setting "
    "PM_PRIVATE_REGISTRIES."
)
PROXY = (
    "The platform's proxy does not answer, or does not lead to {server}. Check the registry's name and port; an "
    "operator can look at the proxy (PM_CATALOG_PROXY) and at what it lets through."
)
UNREACHABLE = "{server} does not answer: check its name and port, and that this platform can reach it."
CERTIFICATE = (
    "The certificate of {server} is not one that this platform trusts: it may be expired, for another name, or signed "
    "by an authority of its own, which an operator can add with the setting PM_REGISTRY_CA_FILE."
)
WRONG = "{server} refused the user or the password. Where it has access tokens, use one as the password."
NO_REGISTRY = "What answers at {server} is not an image registry: check its name and port."
BUSY = "{server} asks to be asked less often. Try again later."
FAILING = "{server} fails at the moment (status {status}). Try again later."
ELSEWHERE = "{server} sends its users to an address that can't be used to sign in: it must begin with https://."


@dataclass(frozen=True)
class Login:
    """Credentials for one registry; ``server`` as in the names of images."""

    server: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.server!r}, {self.user!r})"


def checked_server(text: str) -> str:
    """A registry's name as it stands in images, out of what was typed. UserError at ``server``."""
    typed = text.strip().lower()
    for scheme in ("https://", "http://"):
        typed = typed.removeprefix(scheme)
    host, _, path = typed.rstrip("/").partition("/")
    if path not in ("", "v1", "v2"):
        raise UserError(
            f"Write the registry's name alone, such as {host[:200]}, without the image's own name.", "server"
        )
    if not host or len(host) > 255 or not SERVER.fullmatch(host):
        raise UserError("Write the registry's name as in images, such as registry.example.org:5000.", "server")
    return DEFAULT if host in (DEFAULT, DEFAULT_HOST) else host


def server_of(image: str) -> str:
    """The registry an image is pulled from."""
    first, slash, _ = image.partition("/")
    return first.lower() if slash and ("." in first or ":" in first or first == "localhost") else DEFAULT


def auths(logins: Iterable[Login], images: Iterable[str]) -> bytes | None:
    """A config.json of the Docker CLI with what these images need, and nothing else; None where they need nothing."""
    servers = {server_of(image) for image in images}
    found = {
        DEFAULT_KEY if login.server == DEFAULT else login.server: {"auth": _encoded(login)}
        for login in logins
        if login.server in servers
    }
    return json.dumps({"auths": found}).encode() if found else None


def header(login: Login) -> dict[str, str]:
    """The credentials as an engine takes them with one request."""
    told = {"username": login.user, "password": login.password, "serveraddress": login.server}
    return {"X-Registry-Auth": urlsafe_b64encode(json.dumps(told).encode()).decode()}


def _basic(login: Login) -> dict[str, str]:
    return {"Authorization": f"Basic {_encoded(login)}"}


def _encoded(login: Login) -> str:
    return b64encode(f"{login.user}:{login.password}".encode()).decode()


def check(login: Login, *, private: bool, ca: str = "", proxy: str = "", seconds: float = CHECK_SECONDS) -> bool:
    """Sign in at the registry, in so many seconds. UserError says what is wrong, at ``server`` or ``password``.

    False where the registry takes anybody, whatever the password. ``ca`` and ``proxy`` are as of
    :func:`outgoing.session`.
    """
    with session(private=private, ca=ca, proxy=proxy, seconds=seconds) as web:
        try:
            return _Check(web, login).run()
        except requests.RequestException as error:
            raise UserError(_unreachable(error).format(server=login.server), "server") from None


def _unreachable(error: requests.RequestException) -> str:
    if is_forbidden(error):
        return PRIVATE
    if is_of_proxy(error):
        return PROXY
    if isinstance(error, requests.exceptions.SSLError) or caused_by(error, requests.exceptions.SSLError):
        return CERTIFICATE
    return UNREACHABLE


class _Check:
    def __init__(self, web: requests.Session, login: Login) -> None:
        self.web, self.login = web, login
        host = DEFAULT_HOST if login.server == DEFAULT else login.server
        # As engines do it: without TLS only on their own machine.
        self.base = f"{'http' if _is_loopback(host) else 'https'}://{host}/v2/"
        self.basic = _basic(login)

    def run(self) -> bool:
        status, headers = self._ask({})
        if status == 200 and _is_page(headers):
            raise self._error(NO_REGISTRY, "server")
        if status == 200:
            # Who takes anybody may refuse wrong credentials all the same.
            self._judge(self._ask(self.basic)[0])
            return self._ask(_basic(replace(self.login, password=secrets.token_urlsafe())))[0] in REFUSED
        if status != 401:
            self._judge(status)
        scheme, fields = _challenge(headers.get("WWW-Authenticate", ""))
        if scheme == "basic":
            self._judge(self._ask(self.basic)[0])
        elif scheme == "bearer" and fields.get("realm"):
            token = self._token(fields)
            self._judge(self._ask({"Authorization": f"Bearer {token}"})[0])
        else:
            raise self._error(NO_REGISTRY, "server")
        return True

    def _ask(self, headers: Mapping[str, str]) -> tuple[int, Mapping[str, str]]:
        """The head of the answer: nothing in its body matters."""
        answer = self.web.get(self.base, headers=headers, timeout=ANSWER_SECONDS, stream=True, allow_redirects=False)
        answer.close()
        return answer.status_code, answer.headers

    def _token(self, fields: Mapping[str, str]) -> str:
        realm = urlsplit(fields["realm"])
        if realm.scheme != "https" and not (realm.scheme == "http" and _is_loopback(realm.netloc)):
            raise self._error(ELSEWHERE, "server")
        params = {"service": fields.get("service", ""), "account": self.login.user}
        answer = self.web.get(
            fields["realm"],
            params={name: value for name, value in params.items() if value},
            headers=self.basic,
            timeout=ANSWER_SECONDS,
            stream=True,
            allow_redirects=False,
        )
        with answer:
            self._judge(answer.status_code)
            told = _json(answer)
        token = told.get("token") or told.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,16000}", token):
            raise self._error(NO_REGISTRY, "server")
        return token

    def _judge(self, status: int) -> None:
        """UserError for a status that is none of success."""
        if status in REFUSED:
            raise self._error(WRONG, "password")
        if status == 429:
            raise self._error(BUSY)
        if status >= 500:
            raise self._error(FAILING, status=status)
        if status != 200:
            raise self._error(NO_REGISTRY, "server")

    def _error(self, sentence: str, field: str = "", **more: object) -> UserError:
        return UserError(sentence.format(server=self.login.server, **more), field)


def _challenge(header: str) -> tuple[str, dict[str, str]]:
    scheme, _, rest = header[:8000].strip().partition(" ")
    return scheme.lower(), {name.lower(): value for name, value in CHALLENGE.findall(rest)}


def _json(answer: requests.Response) -> dict[str, Any]:
    """The answer's object; {} for anything else, or too much of it, or too slow."""
    body, late = bytearray(), time.monotonic() + TOKEN_SECONDS
    for chunk in answer.iter_content(4096):
        body += chunk
        if len(body) > TOKEN_BYTES or time.monotonic() > late:
            return {}
    try:
        found = json.loads(bytes(body))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_page(headers: Mapping[str, str]) -> bool:
    return "html" in headers.get("Content-Type", "").lower() and "Docker-Distribution-Api-Version" not in headers


def _is_loopback(server: str) -> bool:
    host = server.rpartition(":")[0] if ":" in server else server
    return host == "localhost" or re.fullmatch(r"127(?:\.\d{1,3}){3}", host) is not None
