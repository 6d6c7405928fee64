"""What changes rarely and costs a question to each host: volumes, and which secrets and configs there are."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping

from platform_manager.engines.client import EngineClient, EngineError
from platform_manager.swarm import snapshot

NAMES = ("secrets", "configs")


class RarelyChanging:
    """As told last; what does not answer stays as it was."""

    def __init__(self) -> None:
        self._volumes: dict[str, list[snapshot.Volume]] = {}
        self._names: dict[str, str] = {}

    async def read(self, manager: EngineClient, engines: Mapping[str, EngineClient], members: Collection[str]) -> None:
        """``engines`` that answer, and the ``members`` of the swarm, by their node ids."""
        self._volumes = {node_id: found for node_id, found in self._volumes.items() if node_id in members}
        await asyncio.gather(
            *(self._read_names(manager, kind) for kind in NAMES),
            *(self._read_volumes(engine, node_id) for node_id, engine in engines.items() if node_id),
        )

    def columns(self) -> dict[str, str]:
        """Those of the snapshot; nothing of what was not read yet."""
        volumes = (volume for found in self._volumes.values() for volume in found)
        read = {"volumes": snapshot.dump(volumes)} if self._volumes else {}
        return {**read, **self._names}

    async def _read_names(self, manager: EngineClient, kind: str) -> None:
        try:
            self._names[kind] = snapshot.owners(snapshot.sequence(await manager.get(f"/{kind}")))
        except EngineError:
            return

    async def _read_volumes(self, engine: EngineClient, node_id: str) -> None:
        try:
            answer = await engine.get("/volumes")
        except EngineError:
            return
        found = snapshot.sequence(snapshot.part(answer, "Volumes"))
        self._volumes[node_id] = [snapshot.volume(item, node_id) for item in found if isinstance(item, dict)]
