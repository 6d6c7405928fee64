"""Fixtures for hosts: a small platform to join, a driver of its own that leaves nothing behind."""

import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from clouds_lab import ENGINE, SCRIPTS, FakePlatform

from platform_manager.clouds.base import MachineSpec
from platform_manager.clouds.local import LocalDriver


@pytest.fixture
async def bridge_address() -> str:
    return await LocalDriver(ENGINE, "", "").gateway()


@pytest.fixture
async def platform(bridge_address: str) -> AsyncIterator[FakePlatform]:
    # The path of a unix socket has to be short: pytest's tmp_path may not be.
    with tempfile.TemporaryDirectory(prefix="pm-") as directory:
        platform = FakePlatform(Path(directory), bridge_address)
        app = web.Application()
        app.router.add_post("/join/{token}", platform.join)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, bridge_address, 0)
        await site.start()
        platform.http_port = runner.addresses[0][1]
        await platform.hub.start()
        yield platform
        await platform.hub.stop()
        await runner.cleanup()


def built(script: str) -> str:
    build = subprocess.run(["sh", SCRIPTS / script], capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    return build.stdout


@pytest.fixture(scope="session")
def host_image() -> str:
    return built("host-image.sh").strip()


@pytest.fixture(scope="session")
def workload_images() -> list[str]:
    return built("workload-images.sh").split()


@pytest.fixture
async def driver(host_image: str) -> AsyncIterator[LocalDriver]:
    driver = LocalDriver(ENGINE, host_image, f"test{uuid.uuid4().hex[:8]}")
    yield driver
    await driver.cleanup_all()


@pytest.fixture
def machine_spec(platform: FakePlatform) -> Callable[..., MachineSpec]:
    def make(name: str = "host-1", environment_id: str = "", **changes: Any) -> MachineSpec:
        host_id = str(uuid.uuid4())
        return MachineSpec(
            host_id=host_id,
            environment_id=environment_id or f"env-{host_id}",
            operation_id="operation-1",
            name=name,
            bootstrap=platform.bootstrap(host_id, **changes),
        )

    return make
