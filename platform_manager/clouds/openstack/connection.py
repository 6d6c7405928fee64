"""The connection to one project and region: token and catalog are kept, calls run side by side in threads."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from keystoneauth1 import exceptions as keystone
from keystoneauth1 import session as keystone_session
from keystoneauth1.identity import v3
from openstack import exceptions as sdk
from openstack.connection import Connection

from platform_manager import outgoing

from .account import Account
from .refusals import explain

Value = TypeVar("Value")

# FIWARE Lab takes 10 to 15 s for a step; what takes longer has been lost.
TIMEOUT_SECONDS = 60
THREADS = 16
FAILURES = (sdk.SDKException, keystone.ClientException, requests.RequestException)


class Cloud:
    """Raises PlatformError for whatever the cloud refuses."""

    def __init__(self, account: Account, *, private: bool = False, folder: Path | None = None) -> None:
        """``private``: the cloud may have a private address; ``folder`` keeps the account's CA bundle."""
        self.account = account.checked()
        self.host = urlsplit(self.account.auth_url).hostname or ""
        self._private = private
        self._folder = folder
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"cloud-{self.host}")

    async def ask(self, call: Callable[[Connection], Value]) -> Value:
        """What ``call`` gives, from a thread of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.ask_now, call)

    def ask_now(self, call: Callable[[Connection], Value]) -> Value:
        """:meth:`ask` for callers that may wait."""
        try:
            return call(self._connected())
        except FAILURES as error:
            account = self.account
            raise explain(error, host=self.host, region=account.region, credential=account.by_credential) from None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            if self._connection is not None:
                self._connection.close()

    def _connected(self) -> Connection:
        with self._lock:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection

    def _connect(self) -> Connection:
        session = keystone_session.Session(
            auth=_sign_in(self.account),
            session=outgoing.session(private=self._private),
            verify=self._bundle() or True,
            timeout=TIMEOUT_SECONDS,
            app_name="platform-manager",
        )
        return Connection(session=session, region_name=self.account.region or None, load_yaml_config=False)

    def _bundle(self) -> str:
        """The path of the account's CA bundle; requests takes no other form."""
        if not self.account.ca or self._folder is None:
            return ""
        path = self._folder / f"{hashlib.sha256(self.account.ca.encode()).hexdigest()[:16]}.pem"
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_text(self.account.ca)
        return str(path)


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
