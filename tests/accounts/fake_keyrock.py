"""An HTTP fake of Keyrock 8 (and the answers of 7 and 5), as observed: pages, tokens, bare-string errors, faults."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from tests.accounts import fake_keyrock_pages as pages

CLIENT_ID = "ff03921a-a772-4220-9854-e2d499ae474a"
CLIENT_SECRET = "5a3c7f6e-made-up-for-tests"
SCOPE_LETTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ,")


class Refused(Exception):
    """An error as Keyrock gives it: a status and a bare string."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


@dataclass
class Account:
    """Somebody at Keyrock; ``shares`` is what they chose at the consent page, None before they did."""

    id: str
    username: str
    email: str
    password: str = "secret"
    roles: list[dict[str, str]] = field(default_factory=list)
    organizations: list[dict[str, Any]] = field(default_factory=list)
    shares: list[str] | None = None
    enabled: bool = True


def role(name: str) -> dict[str, str]:
    return {"id": f"{name}-id", "name": name}


def organization(name: str, *roles: str) -> dict[str, Any]:
    return {
        "id": f"{name}-id",
        "name": name,
        "description": f"{name} org",
        "website": "",
        "roles": [role(each) for each in roles],
    }


Fault = Callable[["Handler"], None]


@dataclass
class FakeKeyrock:
    """One server with one application; tests change what they need."""

    base: str = ""
    version: int = 8
    redirect_uris: list[str] = field(default_factory=list)
    sign_out_uri: str = ""
    grants: set[str] = field(default_factory=lambda: {"authorization_code", "refresh_token"})
    accounts: list[Account] = field(default_factory=list)
    codes: dict[str, tuple[Account, str, float]] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, tuple[Account, str]] = field(default_factory=dict)
    sessions: dict[str, Account] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def account(self, username: str = "alice", **more: Any) -> Account:
        words: dict[str, Any] = {"id": secrets.token_hex(16), "email": f"{username}@example.test", **more}
        made = Account(username=username, **words)
        self.accounts.append(made)
        return made

    def code(self, account: Account, redirect_uri: str = "") -> str:
        code = secrets.token_hex(20)
        self.codes[code] = (account, redirect_uri or self.redirect_uris[0], time.monotonic() + 300)
        return code

    def token(self, account: Account, state: str = "valid") -> str:
        token = secrets.token_hex(20)
        self.tokens[token] = (account, state)
        return token

    def asked(self, path: str) -> int:
        return sum(1 for _, asked in self.requests if urlsplit(asked).path == path)

    # What the endpoints say

    def exchange(self, headers: Any, body: str) -> dict[str, Any]:
        if headers.get("Content-Type", "").split(";")[0] != "application/x-www-form-urlencoded" or not body:
            raise Refused(400, "Invalid request: content must be application/x-www-form-urlencoded")
        form = dict(parse_qsl(body, keep_blank_values=True))
        self._client(headers, form)
        grant = form.get("grant_type", "")
        if grant not in ("authorization_code", "refresh_token", "password", "client_credentials"):
            raise Refused(400, "Unsupported grant type: `grant_type` is invalid")
        if grant not in self.grants:
            raise Refused(400, "Unauthorized client: `grant_type` is invalid")
        return self._tokens(self._redeem(form))

    def _client(self, headers: Any, form: dict[str, str]) -> None:
        kind, _, coded = headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            given = tuple(base64.b64decode(coded).decode().split(":", 1))
            if given != (CLIENT_ID, CLIENT_SECRET):
                raise Refused(401, "Invalid client: client is invalid")
        elif "client_id" in form and "client_secret" in form:
            if (form["client_id"], form["client_secret"]) != (CLIENT_ID, CLIENT_SECRET):
                raise Refused(400, "Invalid client: client is invalid")
        else:
            raise Refused(400, "Invalid client: cannot retrieve client credentials")

    def _redeem(self, form: dict[str, str]) -> Account:
        code = form.get("code", "")
        if not code:
            raise Refused(400, "Missing parameter: `code`")
        if code in self.used:
            self.tokens.pop(self.used[code], None)
        if code not in self.codes:
            raise Refused(400, "Invalid grant: authorization code is invalid")
        account, redirect_uri, until = self.codes[code]
        if time.monotonic() > until:
            raise Refused(400, "Invalid grant: authorization code has expired")
        if "redirect_uri" not in form:
            raise Refused(400, "Invalid request: `redirect_uri` is not a valid URI")
        if form["redirect_uri"] != redirect_uri:
            raise Refused(400, "Invalid request: `redirect_uri` is invalid")
        del self.codes[code]
        self.used[code] = ""
        return account

    def _tokens(self, account: Account) -> dict[str, Any]:
        token = self.token(account)
        if self.version == 5:
            return {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": 3600,
                "scope": "all_info",
                "state": "x",
            }
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": 3599,
            "refresh_token": secrets.token_hex(20),
            "scope": ["bearer"],
        }

    def user(self, headers: Any, query: dict[str, str]) -> dict[str, Any]:
        header, asked = headers.get("Authorization"), query.get("access_token")
        if self.version == 5:
            header = None
        if header and asked:
            raise Refused(400, "Invalid request: only one authentication method is allowed")
        if header and not header.startswith("Bearer "):
            raise Refused(400, "Invalid request: malformed authorization header")
        token = asked or (header or "").removeprefix("Bearer ")
        if not token:
            raise Refused(401, "Unauthorized request: no authentication given")
        if query.get("app_id", CLIENT_ID) != CLIENT_ID:
            raise Refused(401, "User not authorized in application")
        account, state = self.tokens.get(token, (None, "unknown"))
        if account is None:
            raise Refused(401, "Invalid token: access token is invalid")
        if state != "valid":
            ending = {"revoked": "is no longer valid", "expired": "has expired"}[state]
            raise Refused(401, f"Invalid token: access token {ending}")
        return self._about(account)

    def _about(self, account: Account) -> dict[str, Any]:
        if self.version == 5:
            return {
                "organizations": [
                    {"id": each["id"], "displayName": each["name"], "roles": each["roles"]}
                    for each in account.organizations
                ],
                "displayName": account.username,
                "roles": account.roles,
                "app_id": CLIENT_ID,
                "isGravatarEnabled": False,
                "email": account.email,
                "id": account.username,
            }
        shares = account.shares if account.shares is not None else ["username", "email"]
        about: dict[str, Any] = {
            "organizations": account.organizations,
            "displayName": "",
            "roles": account.roles,
            "app_id": CLIENT_ID,
            "trusted_apps": [],
            "isGravatarEnabled": "",
            "id": account.id,
            "authorization_decision": "",
            "app_azf_domain": "",
            "eidas_profile": {},
            "attributes": {},
            "shared_attributes": "",
            "username": account.username if "username" in shares else "",
            "email": account.email if "email" in shares else "",
            "given_name": account.username,
            "family_name": account.username,
            "image": "",
            "gravatar": "",
            "extra": None,
            "sub": account.id,
        }
        if self.version == 7:
            about["displayName"] = about.pop("username")
            del about["sub"]
        return about

    def wrong_authorize(self, query: dict[str, str]) -> str:
        """What is wrong with the address of an authorization, "" when nothing is."""
        if query.get("client_id") != CLIENT_ID:
            return "Invalid client: client credentials are invalid"
        if query.get("redirect_uri", self.redirect_uris[0]) not in self.redirect_uris:
            return "Invalid client: `redirect_uri` does not match client value"
        if not query.get("state"):
            return "Missing parameter: `state`"
        scope = query.get("scope")
        if scope is not None and (not scope or set(scope) - SCOPE_LETTERS):
            return "Invalid parameter: `scope`"
        return ""


class Handler(BaseHTTPRequestHandler):
    keyrock: ClassVar[FakeKeyrock]
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None: ...

    def do_GET(self) -> None:
        self.serve()

    def do_POST(self) -> None:
        self.serve()

    def do_DELETE(self) -> None:
        self.serve()

    def serve(self) -> None:
        url = urlsplit(self.path)
        self.keyrock.requests.append((self.command, self.path))
        self.query = dict(parse_qsl(url.query, keep_blank_values=True))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        self.session = cookies["session"].value if "session" in cookies else secrets.token_hex(8)
        fault = self.keyrock.faults.get(url.path)
        if fault is not None:
            fault(self)
            return
        method = self.query.get("_method", self.command) if url.path == "/auth/external_logout" else self.command
        name = f"{method} {url.path.rstrip('/') or '/'}"
        handler = {
            "GET /oauth2/authorize": self.authorize,
            "POST /oauth2/authorize": self.log_in,
            "POST /oauth2/enable_app": self.enable_app,
            "POST /oauth2/token": lambda: self.json(self.keyrock.exchange(self.headers, self.body)),
            "GET /user": lambda: self.json(self.keyrock.user(self.headers, self.query)),
            "DELETE /auth/external_logout": self.external_logout,
            "GET /auth/external_logout": lambda: self.redirect("/"),
            "GET /version": self.tell_version,
            "GET /idm/applications/new": self.show_application,
            f"GET /idm/applications/{CLIENT_ID}": lambda: self.html(pages.credentials(CLIENT_ID)),
            "GET /": lambda: self.html(pages.page("Home", "<p>Your applications.</p>")),
        }.get(name)
        try:
            if handler is None:
                raise Refused(404, "Path not Found")
            handler()
        except Refused as error:
            self.json(error.text, error.status)

    # Pages

    def authorize(self) -> None:
        account = self.keyrock.sessions.get(self.session)
        address = f"{urlsplit(self.path).path}?{urlencode(self.query)}"
        if account is None:
            self.html(pages.login(address, self.session, self.query.pop("error", "")))
            return
        wrong = self.keyrock.wrong_authorize(self.query)
        if wrong:
            self.html(pages.page("Error", f"<p class=error>{wrong}</p>"), 400)
        elif account.shares is None:
            action = f"/oauth2/enable_app?{urlencode(self.query)}"
            self.html(pages.consent(action, self.session, "Platform Manager"))
        else:
            redirect_uri = self.query.get("redirect_uri", self.keyrock.redirect_uris[0])
            answer = {"code": self.keyrock.code(account, redirect_uri), "state": self.query["state"]}
            self.redirect(f"{redirect_uri}?{urlencode(answer)}")

    def log_in(self) -> None:
        form = self.form_with_csrf()
        for account in self.keyrock.accounts:
            if (account.email, account.password) == (form.get("email"), form.get("password")) and account.enabled:
                self.keyrock.sessions[self.session] = account
                self.redirect(self.path)
                return
        self.redirect(f"{self.path}&{urlencode({'error': 'Wrong user or password.'})}")

    def enable_app(self) -> None:
        self.form_with_csrf()
        shares = parse_qs(self.body).get("user_authorized_application[shared_attributes]", [])
        if len(shares) < 2:
            self.html(pages.page("Error", ""), 500)
            return
        self.keyrock.sessions[self.session].shares = shares
        self.redirect(f"/oauth2/authorize?{urlencode(self.query)}")

    def form_with_csrf(self) -> dict[str, str]:
        form = dict(parse_qsl(self.body))
        if form.get("_csrf") != self.session:
            raise Refused(403, "invalid csrf token")
        return form

    def external_logout(self) -> None:
        if self.query.get("client_id") != CLIENT_ID:
            raise Refused(401, "Invalid client: client is invalid")
        self.keyrock.sessions.pop(self.session, None)
        self.redirect(self.keyrock.sign_out_uri)

    def show_application(self) -> None:
        callback, sign_out = self.keyrock.redirect_uris[0], self.keyrock.sign_out_uri
        home = "{0.scheme}://{0.netloc}".format(urlsplit(callback))
        self.html(pages.application("Platform Manager", home, callback, sign_out))

    def tell_version(self) -> None:
        if self.keyrock.version == 5:
            raise Refused(404, "Path not Found")
        self.json({"keyrock": {"version": f"{self.keyrock.version}.4.0", "uptime": "00:10:05.2", "api_version": "v1"}})

    # Answers

    def json(self, value: Any, status: int = 200) -> None:
        self.send(status, "application/json; charset=utf-8", json.dumps(value).encode())

    def html(self, text: str, status: int = 200) -> None:
        self.send(status, "text/html; charset=utf-8", text.encode())

    def redirect(self, location: str) -> None:
        self.send(302, "text/plain", b"", Location=location)

    def send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", f"session={self.session}; Path=/; HttpOnly; SameSite=Lax")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        """Clients that go away are part of the tests."""


@contextmanager
def running_keyrock(host: str = "127.0.0.1") -> Iterator[FakeKeyrock]:
    """A fake on a free port of this machine."""
    keyrock = FakeKeyrock()
    handler = type("KeyrockHandler", (Handler,), {"keyrock": keyrock})
    server = Server((host, 0), handler)
    keyrock.base = f"http://{host}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield keyrock
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
