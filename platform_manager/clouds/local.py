"""The embedded cloud: hosts are nested Docker engines in containers of this machine's engine.

Everything it makes carries the label ``platform-manager.installation`` and is found
again by labels, never by name.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from platform_manager.clouds import nested
from platform_manager.clouds.base import Machine, MachineSpec, MachineState
from platform_manager.engines.client import EngineClient, EngineError
from platform_manager.errors import ProviderError, UserError

LABEL = "platform-manager"
ADDRESS_POOL_EMPTY = "available, non-overlapping IPv4 address pool"
LACKS_CAPABILITIES = re.compile(r"apply caps|operation not permitted", re.IGNORECASE)
NETWORK_USED = "has active endpoints"
CREATE_SECONDS = 30
RELEASE_SECONDS = 5
STATES = {
    "created": MachineState.BUILDING,
    "restarting": MachineState.BUILDING,
    "running": MachineState.RUNNING,
    "paused": MachineState.STOPPED,
    "exited": MachineState.STOPPED,
    "dead": MachineState.STOPPED,
    "removing": MachineState.GONE,
}


class LocalDriver:
    """A ``Driver``; ``installation`` keeps two platforms on one machine apart."""

    name = "local"

    def __init__(self, engine_socket: Path, image: str, installation: str) -> None:
        self.engine_socket = engine_socket
        self.image = image
        self.installation = installation
        self._privileged = True  # until this machine's engine turns out not to be allowed to

    async def find(self, host_id: str) -> Machine | None:
        async with self._engine() as engine:
            found = await self._containers(engine, host=host_id)
        return _machine(found[0]) if found else None

    async def list_machines(self, environment_id: str | None = None) -> list[Machine]:
        labels = {"environment": environment_id} if environment_id else {}
        async with self._engine() as engine:
            return [_machine(found) for found in await self._containers(engine, **labels)]

    async def create(self, spec: MachineSpec) -> Machine:
        async with self._engine() as engine:
            network = await self._network(engine, spec)
            deadline = time.monotonic() + CREATE_SECONDS
            while not await self._started(engine, await self._container(engine, spec, network)):
                if time.monotonic() > deadline:
                    name = nested.container_name(self.installation, spec)
                    raise ProviderError(f"Another container named {name} stands in the way: remove it.")
                await asyncio.sleep(0.1)
        machine = await self.find(spec.host_id)
        if machine is None:
            raise ProviderError(f"The host {spec.name} was removed while it was being created.")
        return machine

    async def start(self, host_id: str) -> None:
        async with self._engine() as engine:
            await _start(engine, await self._container_id(engine, host_id))

    async def destroy(self, host_id: str) -> None:
        async with self._engine() as engine:
            await self._remove(engine, host=host_id)

    async def destroy_environment(self, environment_id: str) -> None:
        async with self._engine() as engine:
            await self._remove(engine, environment=environment_id)
            await self._remove_networks(engine, environment=environment_id)

    async def cleanup_all(self) -> None:
        """Removes every container, network and volume of this installation, and nothing else."""
        async with self._engine() as engine:
            await self._remove(engine)
            await self._remove_networks(engine)

    async def console(self, host_id: str, lines: int = 200) -> str:
        async with self._engine() as engine:
            found = await self._containers(engine, host=host_id)
            if not found:
                return ""
            output = bytearray()
            async for batch in engine.container_logs(found[0]["Id"], tty=False, timestamps=False, tail=lines):
                for _, text in batch:
                    output += text
        # A host prints what it likes, and NUL can't be stored.
        return output.decode(errors="replace").replace("\0", "\ufffd")

    async def gateway(self) -> str:
        """This machine's address as hosts of every environment see it."""
        async with self._engine() as engine:
            bridge = await engine.get("/networks/bridge")
        for config in bridge["IPAM"]["Config"] or ():
            # An engine that chose the addresses itself takes the first one, and may not say so.
            return str(config.get("Gateway") or next(ip_network(config["Subnet"]).hosts()))
        raise ProviderError("The Docker engine of this machine has no default bridge.", retryable=False)

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[EngineClient]:
        """A client per call: a driver may be used from several event loops."""
        async with EngineClient(self.engine_socket) as engine:
            yield engine

    def _labels(self, **more: str) -> dict[str, str]:
        return {f"{LABEL}.{key}": value for key, value in {"installation": self.installation, **more}.items()}

    def _filter(self, **more: str) -> dict[str, list[str]]:
        return {"label": [f"{key}={value}" for key, value in self._labels(**more).items()]}

    async def _containers(self, engine: EngineClient, **labels: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await engine.get("/containers/json", all=True, filters=self._filter(**labels))
        return found

    async def _container_id(self, engine: EngineClient, host_id: str) -> str:
        found = await self._containers(engine, host=host_id)
        if not found:
            raise ProviderError("The host's container is gone: remove the host, then add a new one.", retryable=False)
        return str(found[0]["Id"])

    async def _container(self, engine: EngineClient, spec: MachineSpec, network: str) -> str:
        """The id of the host's container, found or made; "" while another one has its name."""
        found = await self._containers(engine, host=spec.host_id)
        if found:
            return str(found[0]["Id"])
        labels = self._labels(host=spec.host_id, environment=spec.environment_id, operation=spec.operation_id)
        name = nested.container_name(self.installation, spec)
        volume = f"{name}-engine"
        await engine.post("/volumes/create", {"Name": volume, "Labels": labels})
        body = nested.container_body(spec, self.image, network, volume, labels, privileged=self._privileged)
        try:
            made = await engine.post("/containers/create", body, name=name)
        except EngineError as error:
            if error.status == 404:
                raise ProviderError(f"The host image {self.image} is missing: run 'make setup'.") from None
            if error.status != 409:
                raise
            return ""
        return str(made["Id"])

    async def _started(self, engine: EngineClient, container_id: str) -> bool:
        """False when the container is not there (any more) and has to be made (again)."""
        if not container_id:
            return False
        try:
            await _start(engine, container_id)
            return True
        except EngineError as error:
            if error.status == 404 or "marked for removal" in error.detail:
                return False
            if not LACKS_CAPABILITIES.search(error.detail):
                raise
            if not await _was_privileged(engine, container_id):
                raise
        self._privileged = False
        await _gone(engine.delete(f"/containers/{container_id}", force=True))
        return False

    async def _network(self, engine: EngineClient, spec: MachineSpec) -> str:
        """The id of the environment's network, found or made, also when other hosts ask at the same time."""
        environment = spec.environment_id
        if found := await self._networks(engine, environment=environment):
            return found[0]
        labels = self._labels(environment=environment, operation=spec.operation_id)
        body = nested.network_body(self.installation, environment, spec.bootstrap.mtu, labels)
        try:
            return str((await engine.post("/networks/create", body))["Id"])
        except EngineError as error:
            if ADDRESS_POOL_EMPTY in error.detail:
                raise UserError(
                    "This machine's engine has no addresses left for another environment's network: "
                    "remove environments or networks that are not needed."
                ) from None
            refusal = error
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if found := await self._networks(engine, environment=environment):
                return found[0]
            await asyncio.sleep(0.05)
        raise refusal

    async def _networks(self, engine: EngineClient, **labels: str) -> list[str]:
        found = await engine.get("/networks", filters=self._filter(**labels))
        return sorted(str(network["Id"]) for network in found)

    async def _remove(self, engine: EngineClient, **labels: str) -> None:
        """Containers with these labels, then their volumes."""
        found = [str(container["Id"]) for container in await self._containers(engine, **labels)]
        await asyncio.gather(
            *(_gone(engine.delete(f"/containers/{container_id}", force=True, v=True)) for container_id in found)
        )
        await _until_empty(lambda: self._containers(engine, **labels))
        volumes = await engine.get("/volumes", filters=self._filter(**labels))
        for volume in volumes["Volumes"] or ():
            await _gone(engine.delete(f"/volumes/{volume['Name']}"))

    async def _remove_networks(self, engine: EngineClient, **labels: str) -> None:
        for network in await self._networks(engine, **labels):
            await _remove_network(engine, network)


async def preload(source: EngineClient, target: EngineClient, images: Sequence[str]) -> list[str]:
    """Copies images from one engine to another, those that the target lacks; the names of the copied ones."""
    wanted: list[str] = []
    for image in images:
        here = await _image_id(source, image)
        if here is None:
            raise UserError(f"The image {image} is not on this machine: build or pull it first.")
        if here != await _image_id(target, image):
            wanted.append(image)
    if wanted:
        archive = source.download("/images/get", names=wanted)
        await target.upload("/images/load", archive, timeout=600, quiet=True)
    return wanted


async def _image_id(engine: EngineClient, image: str) -> str | None:
    try:
        return str((await engine.get(f"/images/{image}/json"))["Id"])
    except EngineError as error:
        if error.status == 404:
            return None
        raise


async def _start(engine: EngineClient, container_id: str) -> None:
    try:
        await engine.post(f"/containers/{container_id}/start", timeout=60)
    except EngineError as error:
        if error.status != 304:  # it runs already
            raise


async def _was_privileged(engine: EngineClient, container_id: str) -> bool:
    """True also when another try of the same operation has removed it meanwhile."""
    try:
        return bool((await engine.get(f"/containers/{container_id}/json"))["HostConfig"]["Privileged"])
    except EngineError as error:
        if error.status == 404:
            return True
        raise


async def _gone(removal: Coroutine[Any, Any, Any]) -> None:
    """Awaits a removal; what is gone, or being removed by somebody else, is no error."""
    try:
        await removal
    except EngineError as error:
        if error.status != 404 and "already in progress" not in error.detail:
            raise


async def _remove_network(engine: EngineClient, network: str) -> None:
    """Also when the engine needs a moment to notice that its containers are gone."""
    deadline = time.monotonic() + RELEASE_SECONDS
    while True:
        try:
            await _gone(engine.delete(f"/networks/{network}"))
            return
        except EngineError as error:
            if NETWORK_USED not in error.detail:
                raise
        if time.monotonic() > deadline:
            raise ProviderError(why_it_stays(await engine.get(f"/networks/{network}")), retryable=False)
        await asyncio.sleep(0.2)


def why_it_stays(network: Mapping[str, Any]) -> str:
    """What keeps a network of the engine's from being removed, and what to do."""
    if names := sorted(str(container["Name"]) for container in (network["Containers"] or {}).values()):
        return f"The network {network['Name']} is used by {', '.join(names)}: disconnect that first, then repeat."
    # Engines lose count of what is connected when containers go at the very moment that they start.
    return (
        f"This machine's Docker engine says that the network {network['Name']} is used, though nothing is "
        "connected to it: restart the engine, then repeat."
    )


async def _until_empty(look: Callable[[], Coroutine[Any, Any, Sequence[Any]]]) -> None:
    deadline = time.monotonic() + 60
    while await look():
        if time.monotonic() > deadline:
            raise ProviderError("The Docker engine of this machine takes over a minute to remove a container.")
        await asyncio.sleep(0.1)


def _machine(container: Mapping[str, Any]) -> Machine:
    networks = container["NetworkSettings"]["Networks"] or {}
    addresses = tuple(str(network["IPAddress"]) for network in networks.values() if network.get("IPAddress"))
    return Machine(
        host_id=container["Labels"][f"{LABEL}.host"],
        provider_id=container["Id"],
        addresses=addresses,
        state=STATES.get(container["State"], MachineState.BUILDING),
    )
