"""Fixtures: a fake engine and a client of it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from fake_engine import LIMITS, FakeEngine

from platform_manager.engines.client import EngineClient


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """Sockets need paths shorter than pytest's own."""
    with tempfile.TemporaryDirectory(prefix="pm-") as path:
        yield Path(path)


@pytest.fixture
async def engine(short_dir: Path) -> AsyncIterator[FakeEngine]:
    fake = FakeEngine(short_dir / "engine.sock")
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def client(engine: FakeEngine) -> AsyncIterator[EngineClient]:
    async with EngineClient(engine.path, limits=LIMITS) as client:
        yield client


@pytest.fixture
def until() -> Callable[[Callable[[], object]], object]:
    """Wait for a condition, with a deadline."""

    async def poll(condition: Callable[[], object], seconds: float = 20) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    return poll
