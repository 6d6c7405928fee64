"""plan_overhead_ms: the plan of an update of 30 services, beyond what the engine takes for its own answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from dashboard.flows.plans import plan_stack
from dashboard.flows.stacks import Wish
from platform_manager import recipes
from platform_manager.engines import cli
from platform_manager.engines.client import EngineClient, RawAnswer
from platform_manager.engines.rehearsal import rehearse
from platform_manager.swarm import cluster

from .bed import Bed
from .figures import Figure, spread

BARS = {"plan_overhead_ms": 300.0}
ROUNDS = 9
SERVICES = 30
STACK = "large"
FILES = {"app.conf": b"colour = red\n" * 200}
ONE = """\
  web{n}:
    image: 127.0.0.1:1/whoami:1
    environment: {{NAME: web{n}, LEVEL: "${{LEVEL:-info}}", PLACE: "{{{{.Node.Hostname}}}}"}}
    ports: ["{port}:8000"]
    volumes: ["data{n}:/data"]
    configs: [{{source: app{kind}, target: /etc/app.conf}}]
    networks: [front, back]
    healthcheck: {{test: [CMD, "true"], interval: 10s}}
    deploy:
      replicas: 0
      labels: {{team: red, number: "{n}"}}
      resources: {{limits: {{cpus: "0.5", memory: 64M}}}}
      placement: {{constraints: [node.role == worker]}}
"""
REST = """\
networks: {{front: {{}}, back: {{}}}}
volumes: {{{volumes}}}
configs: {{app0: {{file: ./app.conf}}, app1: {{file: ./app.conf}}, app2: {{file: ./app.conf}}}}
"""


class Noting(EngineClient):
    """Knows what it was asked."""

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    async def raw(self, path: str, **params: Any) -> RawAnswer:
        self.asked.append((path, params))
        return await super().raw(path, **params)


def compose() -> str:
    services = "".join(ONE.format(n=n, port=20_000 + n, kind=n % 3) for n in range(SERVICES))
    volumes = ", ".join(f"data{n}: {{}}" for n in range(SERVICES))
    return f'version: "3.8"\nservices:\n{services}{REST.format(volumes=volumes)}'


def measure(bed: Bed) -> list[Figure]:
    settings.PM_SOCKETS = bed.lab.var / "links"
    asked = asyncio.run(_deployed(bed))
    try:
        return [_overhead(bed, asked)]
    finally:
        bed.remove(STACK)


def _overhead(bed: Bed, asked: list[tuple[str, Mapping[str, Any]]]) -> Figure:
    wish = Wish(STACK, compose(), {"LEVEL": "debug"}, files=FILES)
    whole, engines = [], []
    for _ in range(ROUNDS):
        engines.append(asyncio.run(_answers(bed, asked)))
        begun = time.monotonic()
        plan = plan_stack(bed.environment, wish, updating=True)
        whole.append((time.monotonic() - begun) * 1000)
        assert plan.counts["update"] == SERVICES, plan.summary
    total, own = spread("the plan", whole, "ms"), spread("the engine's answers", engines, "ms")
    why = f"{total:.0f} ms in all, {own:.0f} ms of them {len(asked)} answers of the engine"
    return Figure("plan_overhead_ms", total - own, BARS["plan_overhead_ms"], why=why)


async def _deployed(bed: Bed) -> list[tuple[str, Mapping[str, Any]]]:
    """What a rehearsal asks the engine once the stack is there."""
    recipe = recipes.parse(compose(), FILES)
    mtu = bed.environment.swarm_mtu or cluster.DEFAULT_MTU
    prepared = recipes.prepare(recipe, {}, mtu=mtu, stack_name=STACK)
    socket = bed.link(bed.manager)
    given = {"files": prepared.files, "overlays": prepared.overlays}
    result = await cli.stack_deploy(socket, STACK, prepared.compose, **given)
    assert result.exit_code == 0, result.output
    async with Noting(socket) as client:
        await rehearse(client, STACK, prepared.compose, **given)
        return client.asked


async def _answers(bed: Bed, asked: list[tuple[str, Mapping[str, Any]]]) -> float:
    """Milliseconds for the same questions, asked all at once: no wait between two of them counts for us."""
    async with bed.engine() as client:
        await client.version()
        begun = time.monotonic()
        await asyncio.gather(*(client.raw(path, **params) for path, params in asked))
        return (time.monotonic() - begun) * 1000
