"""A hub to dial, and hosts that dial it with the stock OpenSSH client."""

import asyncio
import os
import signal
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from contextlib import suppress
from pathlib import Path
from shutil import which

from platform_manager.engines.links import Hub


class Host:
    """One machine: a key and the ssh commands it runs."""

    def __init__(self, directory: Path, name: str) -> None:
        assert which("ssh"), "the links need the OpenSSH client: apt-get install openssh-client"
        self.name = name
        self.key = directory / f"{name}.key"
        self.known = directory / f"{name}.known"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        listed = subprocess.run(["ssh-keygen", "-l", "-f", self.key], capture_output=True, check=True)
        self.fingerprint = listed.stdout.split()[1].decode()
        self._processes: list[Process] = []

    def command(self, port: int, *arguments: str, user: str = "") -> list[str]:
        options = "BatchMode=yes ExitOnForwardFailure=yes StrictHostKeyChecking=yes IdentitiesOnly=yes"
        options += f" UserKnownHostsFile={self.known} ConnectTimeout=5 LogLevel=INFO"
        listed = [argument for option in options.split() for argument in ("-o", option)]
        return [
            *("ssh", "-F", "none", "-p", str(port), "-i", str(self.key), *listed),
            *(*arguments, f"{user or self.name}@127.0.0.1"),
        ]

    async def start(self, command: list[str]) -> Process:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT, start_new_session=True
        )
        self._processes.append(process)
        return process

    async def dial(self, hub: Hub, engine: Path, *, port: int = 0) -> Process:
        """Open the link; the caller waits for it to be up."""
        port = port or self.trust(hub)
        return await self.start(self.command(port, "-N", "-R", f"/run/x.sock:{engine}"))

    async def refused(self, hub: Hub, *arguments: str, user: str = "") -> str:
        """What ssh says to a request that must fail."""
        command = self.command(self.trust(hub), *arguments, user=user)
        if "--" in arguments:
            at = command.index("--")
            command = [*command[:at], command[-1], *command[at + 1 : -1]]
        process = await self.start(command)
        async with asyncio.timeout(20):
            output, _ = await process.communicate()
        assert process.returncode != 0
        return output.decode()

    def trust(self, hub: Hub) -> int:
        """Pin the hub's host key; its port."""
        _, port = hub.addresses()[0]
        self.known.write_text(f"[127.0.0.1]:{port} {hub.host_key_line()}\n")
        return port

    async def stop(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()


class Watched:
    """A hub that notes what it announces and knows the hosts it is told."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.known: dict[tuple[str, str], str] = {}
        self.said: list[str] = []
        self.hub = self.new_hub()

    def new_hub(self, port: int = 0, **settings: int | float) -> Hub:
        self.hub = Hub(
            socket_dir=self.directory / "links",
            host_key=self.directory / "host_key",
            listen=[("127.0.0.1", port)],
            authorise=self._authorise,
            on_up=self._up,
            on_down=self._down,
            **{"keepalive_seconds": 5, **settings},  # type: ignore[arg-type]
        )
        return self.hub

    def admit(self, host: Host) -> None:
        self.known[host.name, host.fingerprint] = host.name

    async def _authorise(self, username: str, fingerprint: str) -> str | None:
        return self.known.get((username, fingerprint))

    async def _up(self, host_id: str) -> None:
        self.said.append(f"{host_id} up")

    async def _down(self, host_id: str, reason: str) -> None:
        self.said.append(f"{host_id} down: {reason}")


class Wire:
    """A TCP relay that can be cut so that nobody is told: packets just stop."""

    def __init__(self) -> None:
        self.port = 0
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, target: int) -> None:
        self._target = target
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        self._open.clear()

    async def stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        for pair in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._copy(*pair))
            self._tasks.add(task)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
            await self._open.wait()
        except ConnectionError:
            pass
        finally:
            writer.close()
