"""Fixtures of all tests, and the collection of garbage at the end of each that has an event loop."""

import gc
import inspect
import os
from collections.abc import Generator
from typing import Any

import pytest

KEEP_HASHERS = ("/browser/", "/operations/", "/deployments/", "/bench/", "/real_cloud.py")

# No worker of a test reads what is on the internet, in this process or in one of its own.
os.environ["PM_SMARTSDK_RECIPES"] = "none"


@pytest.fixture(autouse=True)
def no_distant_catalogs(settings: Any) -> None:
    settings.PM_SMARTSDK_RECIPES = "none"


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest, settings: Any) -> None:
    """Slow hashes are for real users; platforms started as processes of their own keep them."""
    if not any(part in str(request.path) for part in KEEP_HASHERS):
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_static_files(settings: Any) -> None:
    """A test's own server does not look for thousands of them when it starts."""
    settings.SERVESTATIC_USE_FINDERS = False


def pytest_collection_finish() -> None:
    """What is loaded by now stays: collecting the garbage of a test then takes milliseconds."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, None, None]:
    """What a test left open fails that test, not one that happens to run when the garbage is collected.

    Tests without an event loop are looked at together, at the end of their module.
    """
    yield
    last = nextitem is None or nextitem.path != item.path
    if last or inspect.iscoroutinefunction(getattr(item, "obj", None)):
        gc.collect()
        # pytest looks for warnings of the garbage before this point; so it looks once more.
        item.config.pluginmanager.get_plugin("unraisableexception").pytest_runtest_teardown(item)
    if last:
        # What outlives a module is imported or cached: the next ones need not look at it again.
        gc.freeze()


def pytest_sessionfinish() -> None:
    """The clients of engines that tests spoke to from synchronous code live as long as the process; so end them."""
    from platform_manager import wiring

    if wiring._core is not None:
        wiring.run(wiring._core.pool.close(), 10)
