"""What is in a project, whose it is, and how it is removed."""

from __future__ import annotations

import asyncio

import pytest
from fake_openstack import FakeOpenStack, until
from openstack_samples import Answer

from platform_manager.clouds.openstack.connection import Cloud
from platform_manager.clouds.openstack.leftovers import Kind, everything, leftovers, remove
from platform_manager.clouds.openstack.marks import Mark
from platform_manager.errors import PlatformError

KEY_PAIR = "platform-manager_abc123_env-1"


def fill(fake: FakeOpenStack) -> None:
    """Something of each kind for a host or environment of ours, for another installation's, for nobody's."""
    for installation in ("abc123", "def456"):
        host, environment = Mark(installation, "env-1", "host-1", "op-1"), Mark(installation, "env-1")
        fake.resources.add_server(f"ours-{installation}", metadata=host.metadata())
        fake.resources.add_volume(f"ours-{installation}", metadata=host.metadata())
        fake.resources.add_ip(host.description())
        fake.resources.add_group(f"ours-{installation}", environment.description())
        fake.resources.keys[environment.name()] = {"name": environment.name()}
    fake.resources.add_server("theirs")
    fake.resources.add_volume("theirs")
    fake.resources.add_ip("for my blog")
    fake.resources.add_group("theirs", "platform-manager is not mine")
    fake.resources.add_group("default", "Default security group")
    fake.resources.keys["platform-manager"] = {"name": "platform-manager"}


async def test_everything_says_whose_it_is(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    fill(fake)

    found = await everything(cloud)

    order = ["server", "volume", "floating IP", "security group", "key pair"]
    assert [thing.kind for thing in found] == [kind for kind in order for _ in range(3)]
    ours = [thing for thing in found if thing.made_by("abc123")]
    assert [thing.kind for thing in ours] == order
    assert {(thing.mark.environment, thing.mark.host) for thing in ours if thing.mark} == {
        ("env-1", "host-1"),
        ("env-1", ""),
    }
    assert [thing.name for thing in found if thing.mark is None] == [
        "theirs",
        "theirs",
        "10.89.1.102",
        "theirs",
        "platform-manager",
    ]


async def test_a_cloud_without_volumes(fake: FakeOpenStack, cloud: Cloud) -> None:
    fill(fake)

    assert Kind.VOLUME not in {thing.kind for thing in await everything(cloud)}


async def test_what_is_no_longer_known_is_left_over(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    fill(fake)

    assert await leftovers(cloud, "abc123", {"host-1"}, {"env-1"}) == []
    of_host = await leftovers(cloud, "abc123", set(), {"env-1"})
    of_environment = await leftovers(cloud, "abc123", {"host-1"}, set())
    assert [thing.kind for thing in of_host] == [Kind.SERVER, Kind.VOLUME, Kind.FLOATING_IP]
    assert [thing.kind for thing in of_environment] == [Kind.SECURITY_GROUP, Kind.KEY_PAIR]
    assert await leftovers(cloud, "none", set(), set()) == []


async def test_removing_leftovers_leaves_the_rest(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    fill(fake)
    before = await everything(cloud)

    for thing in await leftovers(cloud, "abc123", set(), set()):
        for _ in range(2):
            await remove(cloud, thing.kind, thing.id)

    assert await everything(cloud) == [thing for thing in before if not thing.made_by("abc123")]


async def test_a_group_in_use_is_waited_for(fake: FakeOpenStack, cloud: Cloud) -> None:
    group = fake.resources.add_group("web")
    server = fake.resources.add_server(groups=[group["id"]])
    removal = asyncio.create_task(remove(cloud, Kind.SECURITY_GROUP, group["id"]))
    await until(lambda: fake.count("DELETE /network/v2.0/security-groups") >= 2)

    await remove(cloud, Kind.SERVER, server["id"])
    await removal

    assert not fake.resources.groups


async def test_a_volume_in_use_is_told(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    volume = fake.resources.add_volume("data", status="in-use")

    with pytest.raises(PlatformError, match="volume is still in use"):
        await remove(cloud, Kind.VOLUME, volume["id"])


async def test_a_list_that_fails_is_no_empty_list(fake: FakeOpenStack, cloud: Cloud) -> None:
    fill(fake)
    fake.trouble("GET /network/v2.0/floatingips", Answer(500, ""))

    with pytest.raises(PlatformError, match="service fails"):
        await everything(cloud)


@pytest.mark.parametrize(
    "mark", [Mark("abc123", "env-1", "host-1", "op-1"), Mark("abc123", "env-1"), Mark("abc123", host="host-1")]
)
def test_a_mark_is_read_as_it_was_written(mark: Mark) -> None:
    assert Mark.of_metadata(mark.metadata()) == mark
    assert Mark.of_description(mark.description()) == mark


@pytest.mark.parametrize("text", [None, "", "platform-manager", "platform-manager environment=env-1", "installation=a"])
def test_what_only_looks_like_a_mark_is_none(text: str | None) -> None:
    assert Mark.of_description(text) is None
    assert Mark.of_metadata({"platform-manager-environment": text or ""}) is None
    assert Mark.of_metadata(None) is None
    assert Mark.of_name(text or "") is None
