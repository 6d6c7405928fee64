"""Private images on real engines, from a real registry: signing in, pulling, digests, and what failures say."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboard.flows import hosts, registries, revisions
from dashboard.models import Origin, RegistryCredential, StackState
from platform_manager import wiring
from platform_manager.clouds.local import LocalDriver
from platform_manager.errors import UserError
from tests import factories
from tests.deployments.world import World, built, failed
from tests.support.lab import free_port, running_lab, succeeded, transcript, until
from tests.support.registry import Registry, running_registry

pytestmark = pytest.mark.engine

SERVICE = """
services:
  web: {{image: "{image}", stop_grace_period: 1s, deploy: {{mode: global, restart_policy: {{delay: 1s}}}}}}
"""


@pytest.fixture(scope="module")
def address(django_db_setup: None) -> str:
    """Of this machine as its nested engines see it."""
    from django.conf import settings

    return wiring.run(LocalDriver(settings.PM_LOCAL_ENGINE, "", "").gateway(), 30)


@pytest.fixture(scope="module")
def registry(address: str) -> Iterator[Registry]:
    with running_registry(address) as registry:
        yield registry


@pytest.fixture(scope="module")
def db(kept_db: None) -> None:
    """One database for all tests."""


@pytest.fixture(scope="module")
def shop(db: None, registry: Registry) -> Iterator[World]:
    """One environment for all; its host trusts the registry."""
    with running_lab() as lab:
        (world,) = built(lab, "shop")
        registry.trusted_by(world.host.provider_id)
        yield world


@pytest.fixture(autouse=True)
def allowed(registry: Registry, settings: Any) -> None:
    """The operator lets environments use it."""
    settings.PM_PRIVATE_REGISTRIES = True
    settings.PM_REGISTRY_CA = registry.certificate


@pytest.fixture
def signed_in(shop: World, registry: Registry) -> Iterator[RegistryCredential]:
    """The environment has the registry's credentials."""
    row = registries.add_registry(
        shop.environment, shop.user, server=registry.server, username=registry.user, password=registry.password
    )
    yield row
    if RegistryCredential.objects.filter(pk=row.pk).exists():
        registries.remove_registry(row, shop.user)


def runs(shop: World, name: str) -> str:
    """The first line that the newest running container of the stack's service said."""
    found = shop.docker("ps", "-q", "--latest", "--filter", f"label=com.docker.swarm.service.name={name}_web").split()
    return shop.docker("logs", found[0]).partition("\n")[0] if found else ""


@pytest.mark.django_db
def test_credentials_are_tried_at_the_registry_before_they_are_saved(
    registry: Registry, address: str, settings: Any
) -> None:
    environment = factories.environment()

    def add(**other: str) -> RegistryCredential:
        given = {"server": registry.server, "username": registry.user, "password": registry.password, **other}
        return registries.add_registry(environment, environment.owner, **given)

    def refused(**other: str) -> tuple[str, str]:
        with pytest.raises(UserError) as caught:
            add(**other)
        return caught.value.field, str(caught.value)

    assert refused(password="wrong") == (
        "password",
        f"{registry.server} refused the user or the password. Where it has access tokens, use one as the password.",
    )
    assert refused(username="nobody")[0] == "password"
    nothing = f"{address}:{free_port(address)}"
    field, sentence = refused(server=nothing)
    assert (field, f"{nothing} does not answer" in sentence) == ("server", True)
    settings.PM_REGISTRY_CA = ""
    field, sentence = refused()
    assert (field, "PM_REGISTRY_CA_FILE" in sentence) == ("server", True)
    settings.PM_REGISTRY_CA = registry.certificate
    assert not environment.registries.exists()

    assert add().checked_at is not None
    with running_registry(address, authenticated=False) as other:
        settings.PM_REGISTRY_CA = registry.certificate + other.certificate
        assert add(server=other.server).checked_at is None


def test_without_credentials_a_deployment_says_which_are_missing_and_where_to_add_them(
    shop: World, registry: Registry
) -> None:
    registry.push("127.0.0.1:1/whoami:1", "missing:1")

    operation = failed(shop.deploy("missing", SERVICE.format(image=f"{registry.server}/missing:1")))

    assert shop.stack("missing").state == StackState.FAILED
    (failure,) = shop.revision("missing").failures
    assert "the environment has no credentials for it. Add them at Settings, Image registries" in failure["error"]
    assert f"The engine said: No such image: {registry.server}/missing:1" in failure["error"]
    assert failure["error"] in operation.error


def test_a_private_image_is_pulled_with_the_environments_credentials_which_nothing_shows(
    shop: World, registry: Registry, signed_in: RegistryCredential
) -> None:
    first = registry.push("127.0.0.1:1/whoami:1", "moving:1")
    image = f"{registry.server}/moving:1"

    operation = succeeded(shop.deploy("moving", SERVICE.format(image=image)))

    assert shop.revision("moving").digests == {"web": f"{image}@{first}"}
    assert runs(shop, "moving").startswith("whoami 1 on")
    assert not list(Path(tempfile.gettempdir()).glob("*sandbox-*/home/config.json"))
    said = [transcript(operation), shop.docker("service", "inspect", "moving_web")]
    said += [path.read_text(errors="replace") for path in shop.lab.var.rglob("*.log")]
    assert not any(registry.password in text for text in said)

    # A redeploy takes what was pushed since under the tag, a rollback what the revision ran.
    second = registry.push("127.0.0.1:1/whoami:2", "moving:1")
    succeeded(revisions.redeploy(shop.environment, shop.user, shop.stack("moving")))
    assert shop.revision("moving").digests == {"web": f"{image}@{second}"}
    assert runs(shop, "moving").startswith("whoami 2 on")

    # The host has to pull it again.
    shop.docker("image", "rm", "--force", f"{registry.server}/moving@{first}")
    succeeded(revisions.roll_back(shop.environment, shop.user, shop.stack("moving"), 1))
    newest = shop.revision("moving")
    assert (newest.origin, newest.digests) == (Origin.ROLLBACK, {"web": f"{image}@{first}"})
    assert runs(shop, "moving").startswith("whoami 1 on")


def test_removed_credentials_serve_hosts_that_come_later_but_no_later_deployment(
    shop: World, registry: Registry, signed_in: RegistryCredential
) -> None:
    registry.push("127.0.0.1:1/whoami:1", "removed:1")
    registry.push("127.0.0.1:1/whoami:2", "removed:2")
    compose = SERVICE.format(image=f"{registry.server}/removed:1")
    succeeded(shop.deploy("removed", compose))
    registries.remove_registry(signed_in, shop.user)

    # The swarm keeps them with the service.
    succeeded(hosts.add_hosts(shop.environment, shop.user, driver="local", prefix="late", quantity=1))
    late = shop.environment.hosts.get(name__startswith="late")
    registry.trusted_by(late.provider_id)

    def comes() -> bool:
        listed = shop.docker("service", "ps", "removed_web", "--format", "{{json .}}").splitlines()
        tasks = [json.loads(line) for line in listed]
        return any(one["Node"] == late.name and one["CurrentState"].startswith("Running") for one in tasks)

    until(comes, what="the new host runs the private image", every=0.2)

    operation = failed(shop.deploy("removed", compose.replace("removed:1", "removed:2"), updating=True))
    assert "the environment has no credentials for it" in operation.error, transcript(operation)
