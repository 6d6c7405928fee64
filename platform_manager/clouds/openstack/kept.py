"""Connections kept between requests: a token and a catalog cost more than most calls."""

from __future__ import annotations

import threading
from collections import OrderedDict

from .account import Account
from .connection import Cloud
from .driver import OpenStackDriver

MOST = 100


class Clouds:
    """One connection and driver per account, for all threads; of more than ``most`` the least used are dropped."""

    def __init__(self, installation: str, *, private: bool = False, most: int = MOST) -> None:
        self._installation = installation
        self._private = private
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Account, tuple[Cloud, OpenStackDriver]] = OrderedDict()

    def cloud(self, account: Account) -> Cloud:
        return self._of(account)[0]

    def driver(self, account: Account) -> OpenStackDriver:
        return self._of(account)[1]

    def close(self) -> None:
        with self._lock:
            for cloud, _ in self._kept.values():
                cloud.close()
            self._kept.clear()

    def _of(self, account: Account) -> tuple[Cloud, OpenStackDriver]:
        with self._lock:
            if account not in self._kept:
                cloud = Cloud(account, private=self._private)
                self._kept[account] = (cloud, OpenStackDriver(cloud, self._installation))
            self._kept.move_to_end(account)
            if len(self._kept) > self._most:
                # Not closed: somebody may be using it, and what nobody uses any more closes itself.
                self._kept.popitem(last=False)
            return self._kept[account]
