"""What a project offers, what its quota leaves."""

from __future__ import annotations

import re

import pytest
from fake_openstack import FakeOpenStack
from openstack_resources import EXTERNAL, INTERNAL, flavor, image
from openstack_samples import Answer

from platform_manager.clouds.openstack import inventory
from platform_manager.clouds.openstack.connection import Cloud
from platform_manager.clouds.openstack.inventory import Allowance, Flavor, Named, Network
from platform_manager.clouds.openstack.marks import Mark
from platform_manager.errors import ProviderError

LISTS = "GET /(compute/v2.1|network/v2.0|image/v2)/"


async def test_what_a_project_offers(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.resources.flavors.append(flavor("diskless", 1, 256, 0))
    fake.resources.images.append(image("old", status="deactivated"))
    theirs = fake.resources.add_group("web")
    fake.resources.add_group("platform-manager-env-1", Mark("abc123", "env-1").description())
    fake.resources.keys.update({name: {"name": name} for name in ("bob", "ann", "platform-manager_abc123_env-1")})

    found = await inventory.read(cloud)

    assert [one.name for one in found.flavors] == ["diskless", "m1.small", "m1.huge"]
    assert found.flavors[1] == Flavor("f-m1.small", "m1.small", 1, 512, 10)
    assert [(one.name, one.login, one.min_disk_gib) for one in found.images] == [
        ("base_debian_12", "debian", 10),
        ("base_ubuntu_16.04", "ubuntu", 10),
    ]
    assert found.networks == [Network(INTERNAL, "node-int-net-01", False, 1400)]
    assert found.pools == [Network(EXTERNAL, "public-ext-net-01", True, 1500)]
    assert found.security_groups == [Named(theirs["id"], "web")]
    assert found.key_pairs == [Named("ann", "ann"), Named("bob", "bob")]
    assert found.zones == ["nova"]
    assert not found.volumes


async def test_whether_there_are_volumes(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)

    assert (await inventory.read(cloud)).volumes


async def test_what_boot_volumes_take_of_the_quota(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    fake.resources.flavors.append(flavor("diskless", 1, 256, 0))
    fake.resources.add_volume("data", size=30)
    found = await inventory.read(cloud)
    assert found.quota["volumes"] == Allowance(1, 10)
    assert found.quota["volume_gib"] == Allowance(30, 100)

    fits = inventory.demands(found, found.flavors[0], 2, floating=False, volume_gib=20)
    short = inventory.demands(found, found.flavors[0], 4, floating=False, volume_gib=20)

    assert inventory.sentence(fits).endswith("3 of 10 volumes, 70 of 100 GiB of volumes.")
    assert inventory.sentence(short).endswith("110 of 100 GiB of volumes. 10 GiB of volumes short.")


async def test_all_lists_are_asked_for_at_once(fake: FakeOpenStack, cloud: Cloud) -> None:
    await inventory.read(cloud)
    assert fake.count(LISTS) == 8
    assert not [line for line in fake.twice() if re.search(LISTS, line)]

    fake.trouble(LISTS, seconds=0.15)
    await inventory.read(cloud)
    assert fake.most_at_once == 8


async def test_a_service_that_has_not_seen_the_token_is_asked_one_thing_first(
    fake: FakeOpenStack, cloud: Cloud
) -> None:
    """Ten calls with a token that is new to it make it ask Keystone ten times."""
    fake.trouble(LISTS, seconds=0.15)

    await inventory.read(cloud)

    assert fake.most_at_once <= 5
    firsts = [line.split("/")[1] for line in fake.asked if re.search(LISTS, line)][:3]
    assert sorted(firsts) == ["compute", "image", "network"]


async def test_what_a_form_can_do_without(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.services += ("volumev3",)
    fake.trouble("GET .*/(os-keypairs|os-availability-zone|quotas)", Answer(403, ""))
    fake.trouble("GET /volume/.*/limits", Answer(403, ""))

    found = await inventory.read(cloud)

    assert (found.key_pairs, found.zones) == ([], [])
    assert set(found.quota) == {"instances", "cores", "ram_mib"}


@pytest.mark.parametrize("path", ["flavors", "images", "networks", "limits", "security-groups"])
async def test_what_a_form_cannot_do_without(fake: FakeOpenStack, cloud: Cloud, path: str) -> None:
    fake.trouble(f"GET .*/{path}", Answer(500, ""))

    with pytest.raises(ProviderError, match="service fails at the moment"):
        await inventory.read(cloud)


async def test_what_new_hosts_take_of_the_quota(fake: FakeOpenStack, cloud: Cloud) -> None:
    for _ in range(2):
        fake.resources.add_server()
    fake.resources.add_ip()
    found = await inventory.read(cloud)
    assert found.quota == {
        "instances": Allowance(2, 5),
        "cores": Allowance(2, 10),
        "ram_mib": Allowance(1024, 20480),
        "floating_ips": Allowance(1, 3),
    }
    small = found.flavors[0]

    fits = inventory.demands(found, small, 1, floating=False)
    short = inventory.demands(found, small, 3, floating=True)
    much = inventory.demands(found, found.flavors[-1], 4, floating=True)

    assert inventory.sentence(fits) == "Uses 3 of 5 instances, 3 of 10 cores, 1.5 of 20 GiB of memory."
    assert inventory.sentence(short).endswith("4 of 3 floating IPs. 1 floating IP short.")
    assert [one.short for one in short] == [0, 0, 0, 1]
    assert inventory.sentence(much).endswith("1 instance, 24 cores, 45 GiB of memory and 2 floating IPs short.")


async def test_a_quota_without_limit(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.resources.quota.update(instances=-1, floatingip=-1)

    found = await inventory.read(cloud)

    assert found.quota["instances"].left() is None
    wanted = inventory.demands(found, found.flavors[0], 100, floating=True)
    assert inventory.sentence(wanted).startswith("Uses 100 instances, 100 of 10 cores")


@pytest.mark.parametrize(
    ("name", "distribution", "login"),
    [
        ("Ubuntu Server 22.04", None, "ubuntu"),
        ("my image", "centos", "centos"),
        ("AlmaLinux-9", None, "almalinux"),
        ("search-engine", None, ""),
        ("gold", None, ""),
    ],
)
async def test_the_login_is_guessed(
    fake: FakeOpenStack, cloud: Cloud, name: str, distribution: str | None, login: str
) -> None:
    fake.resources.images[:] = [image(name, **({"os_distro": distribution} if distribution else {}))]

    [found] = (await inventory.read(cloud)).images

    assert found.login == login
