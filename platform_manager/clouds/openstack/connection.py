"""The connection to one project and region: token and catalog are kept, calls run side by side in threads."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from keystoneauth1 import access as keystone_access
from keystoneauth1 import exceptions as keystone
from keystoneauth1 import session as keystone_session
from keystoneauth1.identity import v3
from openstack import exceptions as sdk
from openstack.connection import Connection
from urllib3 import Retry

from platform_manager import outgoing
from platform_manager.errors import PlatformError, ProviderError

from .account import Account
from .refusals import NONSENSE, explain

Value = TypeVar("Value")

# FIWARE Lab takes 10 to 15 s for a step; what takes longer has been lost.
TIMEOUT_SECONDS = 60
PAUSE_SECONDS = 1.0
THREADS = 16
UNAUTHORIZED = 401
FAILURES = (sdk.SDKException, keystone.ClientException, requests.RequestException)
# What reading an answer of another shape than OpenStack's raises.
MISREAD = (AttributeError, LookupError, TypeError, ValueError)
# Of one call, however many pages its list has: a list may have no end, and clouds are anybody's.
MOST_ANSWERS = 300
MOST_BYTES = 64 * 2**20
CLOSED = "The cloud account was changed meanwhile. Try again."
ENDLESS = "The cloud answers with more than the platform reads: a list of it has no end, or is too long."
SERVICES = {"volumev3": "volume", "block-storage": "volume", "block-store": "volume"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SignedIn:
    """What a cloud gave at a sign-in, token and catalog, as text; as secret as a password until it expires."""

    state: str = field(repr=False)
    expires_at: datetime


class Cloud:
    """Raises PlatformError for whatever the cloud refuses. May be used from several threads and event loops."""

    def __init__(
        self, account: Account, *, private: bool = False, pause: float = PAUSE_SECONDS, signed_in: str = ""
    ) -> None:
        """``private``: the cloud may have a private address; ``pause``: seconds between two looks.

        ``signed_in``: the state of a :class:`SignedIn` with which another connection of the account goes on here.
        """
        self.account = account.checked()
        self.host = urlsplit(self.account.auth_url).hostname or ""
        self.pause = pause
        self._lock = threading.Lock()
        self._closed = False
        self._connection: Connection | None = None
        self._requests = outgoing.session(private=private, ca=self.account.ca, retries=_retries(pause))
        self._sign_in: Any = _sign_in(self.account)
        self._known: object = None
        if signed_in:
            self.go_on_with(signed_in)
        self._session = _Session(
            auth=self._sign_in,
            session=self._requests,
            timeout=TIMEOUT_SECONDS,
            app_name="platform-manager",
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"cloud-{self.host}")

    async def ask(self, call: Callable[[Connection], Value]) -> Value:
        """What ``call`` gives, from a thread of its own."""
        return await self._in_thread(lambda: self.ask_now(call))

    def ask_now(self, call: Callable[[Connection], Value]) -> Value:
        """:meth:`ask` for callers that may wait."""
        connection = self._connected()
        return self._guarded(lambda: self._renewed(call, connection))

    def _renewed(self, call: Callable[[Connection], Value], connection: Connection) -> Value:
        """Of several calls whose token is taken no more, the library lets only the first sign in anew."""
        before = self._sign_in.auth_ref
        try:
            return call(connection)
        except sdk.HttpException as error:
            if error.status_code != UNAUTHORIZED or before is None or self._sign_in.auth_ref is before:
                raise
        return call(connection)

    async def access(self) -> keystone_access.AccessInfo:
        """What the token says: project, catalog."""
        return await self._in_thread(lambda: self._guarded(self._access))

    async def services(self) -> set[str]:
        """The services of the catalog in the account's region: compute, network, image, volume and others."""
        return services_in(await self.access(), self.account.region)

    def new_sign_in(self) -> SignedIn | None:
        """What the last sign-in gave; None when that was told before, or is another connection's."""
        access = self._sign_in.auth_ref
        state = self._sign_in.get_auth_state()
        if access is None or access is self._known or not state:
            return None
        self._known = access
        return SignedIn(state, access.expires)

    def ends_within(self, seconds: float) -> bool:
        """Whether there is no sign-in, or it is over by then."""
        access = self._sign_in.auth_ref
        return access is None or bool(access.will_expire_soon(seconds))

    def renew_before(self, seconds: float) -> None:
        """The next call signs in anew where the sign-in is over by then, unless none lasts much longer here."""
        access = self._sign_in.auth_ref
        if access is None or not self.ends_within(seconds):
            return
        if (access.expires - access.issued).total_seconds() > 2 * seconds:
            self._sign_in.invalidate()

    def go_on_with(self, state: str) -> None:
        """Take over what another connection of the account was given."""
        try:
            self._sign_in.set_auth_state(state)
        except MISREAD:
            return  # of another release: it signs in anew
        self._known = self._sign_in.auth_ref

    def close(self) -> None:
        """Calls under way end by themselves."""
        self._closed = True
        self._threads.shutdown(wait=False)
        self._requests.close()

    async def _in_thread(self, call: Callable[[], Value]) -> Value:
        if self._closed:
            raise ProviderError(CLOSED)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _guarded(self, call: Callable[[], Value]) -> Value:
        """An error raised here has neither cause nor context: those hold the request, with its user data."""
        if self._closed:
            raise ProviderError(CLOSED)
        self._session.begin()
        try:
            return call()
        except FAILURES as error:
            refusal = self._explained(error)
        except MISREAD as error:
            log.warning("An answer of %s could not be read: %s", self.host, _place(error))
            refusal = ProviderError(NONSENSE)
        finally:
            if self._closed:
                self._requests.close()
        raise refusal

    def _explained(self, error: Exception) -> PlatformError:
        account = self.account
        return explain(error, host=self.host, region=account.region, credential=account.by_credential)

    def _connected(self) -> Connection:
        with self._lock:
            if self._connection is None:
                self._connection = Connection(session=self._session, region_name=self.account.region or None)
            return self._connection

    def _access(self) -> keystone_access.AccessInfo:
        found: keystone_access.AccessInfo = self._sign_in.get_access(self._session)
        return found


class _Read(threading.local):
    """How much a thread has read of answers since its call began."""

    answers = 0
    bytes = 0


class _Session(keystone_session.Session):
    """Never logs what it sends, at no level: user data holds a host's token.

    A service asks Keystone about a token that it sees for the first time, and of ten calls at once each would ask: so
    the first call to a service goes alone.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._lock = threading.Lock()
        self._firsts: dict[str, threading.Event] = {}
        self._read = _Read()

    def begin(self) -> None:
        """What this thread asks from now on is one call."""
        self._read.answers = self._read.bytes = 0

    def request(self, *args: Any, **kwargs: Any) -> Any:
        service = (kwargs.get("endpoint_filter") or {}).get("service_type")
        with self._in_turn(service) if service else nullcontext():
            answer = super().request(*args, **{**kwargs, "log": False})
        self._read.answers += 1
        self._read.bytes += len(answer.content)
        if self._read.answers > MOST_ANSWERS or self._read.bytes > MOST_BYTES:
            raise ProviderError(ENDLESS, retryable=False)
        return answer

    @contextmanager
    def _in_turn(self, service: str) -> Iterator[None]:
        with self._lock:
            mine = service not in self._firsts
            first = self._firsts.setdefault(service, threading.Event())
        if not mine:
            first.wait(TIMEOUT_SECONDS)
        try:
            yield
        finally:
            first.set()


def services_in(access: keystone_access.AccessInfo, region: str) -> set[str]:
    """The services of a catalog in a region; "": in any."""
    found = access.service_catalog.get_endpoints(region_name=region or None, interface="public")
    return {SERVICES.get(kind, kind) for kind, endpoints in found.items() if endpoints}


def regions_in(access: keystone_access.AccessInfo) -> list[str]:
    found: Any = access.service_catalog.get_endpoints(interface="public")
    return sorted({str(one["region"]) for endpoints in found.values() for one in endpoints if one.get("region")})


def _retries(pause: float) -> Retry:
    """For what only reads: once more at once, then after a pause."""
    return Retry(
        total=2,
        connect=0,
        read=1,
        other=0,
        allowed_methods={"GET"},
        status_forcelist={429, 502, 503, 504},
        backoff_factor=pause / 2,
        respect_retry_after_header=False,
        raise_on_status=False,
    )


def _place(error: Exception) -> str:
    """Where it happened; its words could be those of the answer."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} in {where}"


def _sign_in(account: Account) -> Any:
    if account.by_credential:
        return v3.ApplicationCredential(
            account.auth_url,
            application_credential_id=account.credential_id,
            application_credential_secret=account.credential_secret,
        )
    project: dict[str, Any] = {"project_id": account.project_id} if account.project_id else _named_project(account)
    return v3.Password(
        account.auth_url, username=account.user, password=account.password, **_domain("user", account), **project
    )


def _named_project(account: Account) -> dict[str, Any]:
    return {"project_name": account.project, **_domain("project", account)}


def _domain(whose: str, account: Account) -> dict[str, Any]:
    by_id = getattr(account, f"{whose}_domain_id")
    return {f"{whose}_domain_id": by_id} if by_id else {f"{whose}_domain_name": getattr(account, f"{whose}_domain")}
