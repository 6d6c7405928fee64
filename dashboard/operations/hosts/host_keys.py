"""The SSH keys of hosts that the platform dials: read off their consoles, which their cloud vouches for."""

from __future__ import annotations

import re
import time
from uuid import UUID

from dashboard.models import Host, LinkKind
from dashboard.models.hosts import FIRST_SEEN
from platform_manager.errors import PlatformError

from ..clouds.drivers import driver_for
from ..context import StepContext

# As the bootstrap script says it, or cloud-init in its block of keys, whichever of the two the console gets.
KEY = re.compile(
    r"(?:platform-manager: host key |^)(ssh-ed25519 [A-Za-z0-9+/]{68}={0,2})(?=\s|$)",
    re.MULTILINE,
)
LINES = 400
LOOK_SECONDS = 3.0
# A cloud whose console stays empty that long shows none.
TRUST_SECONDS = 120.0


class HostKeys:
    """Looks now and then for the keys of an operation's hosts."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._look_at = 0.0
        self._trust_at = time.monotonic() + TRUST_SECONDS
        self._spoke: set[UUID] = set()

    def look(self, silent: list[Host]) -> None:
        """Write down the keys that the consoles of these hosts show by now."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + LOOK_SECONDS
        for host in silent:
            if host.link == LinkKind.DIRECT and not host.host_key:
                self._read(host)

    def _read(self, host: Host) -> None:
        try:
            console = self._context.run(driver_for(host).console(str(host.pk), LINES))
        except PlatformError:
            return  # a cloud that is away for a moment says nothing about the machine
        found = KEY.findall(console)
        if console.strip():
            self._spoke.add(host.pk)
        if found:
            self._trust(host, found[-1], "its console shows the key of its SSH server, which counts from now on")
        elif host.pk not in self._spoke and time.monotonic() > self._trust_at:
            self._trust(host, FIRST_SEEN, "its cloud shows no console, so the key that it shows first counts")

    def _trust(self, host: Host, key: str, words: str) -> None:
        Host.objects.filter(pk=host.pk, host_key="").update(host_key=key)
        self._context.log(f"{host.name}: {words}")
