"""Local hosts, for real: nested engines in containers of this machine's engine."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from clouds_lab import ENGINE, FakePlatform, docker, engine_json, until

from platform_manager.clouds import local, nested
from platform_manager.clouds.base import MachineSpec, MachineState
from platform_manager.clouds.local import LocalDriver, preload
from platform_manager.engines.client import EngineClient
from platform_manager.errors import PlatformError, UserError

pytestmark = pytest.mark.engine
Make = Callable[..., MachineSpec]


async def linked(platform: FakePlatform, *specs: MachineSpec) -> None:
    for spec in specs:
        await until(lambda spec=spec: platform.engine_version(spec.host_id), 40, f"the engine of {spec.name}")


async def stopped(driver: LocalDriver, host_id: str) -> bool:
    machine = await driver.find(host_id)
    return machine is not None and machine.state is MachineState.STOPPED


def labelled(kind: str, driver: LocalDriver) -> list[str]:
    """Names of this driver's containers, networks or volumes, as the Docker CLI sees them."""
    listing = ["ps", "-a"] if kind == "container" else [kind, "ls"]
    column = "{{.Names}}" if kind == "container" else "{{.Name}}"
    mine = f"label=platform-manager.installation={driver.installation}"
    found = docker(*listing, "--format", column, "--filter", mine)
    return sorted(found.split())


async def test_a_created_host_enrols_and_its_engine_answers_through_the_link(
    driver: LocalDriver, platform: FakePlatform, machine_spec: Make
) -> None:
    spec = machine_spec("web-1", mtu=1400)

    machine = await driver.create(spec)
    await linked(platform, spec)

    facts = platform.facts[spec.host_id]
    assert (facts["hostname"], facts["mtu"], facts["addresses"]) == ("web-1", 1400, list(machine.addresses))
    assert machine.state is MachineState.RUNNING
    assert facts["memory_bytes"] > 0 and facts["disk_bytes"] > 0 and facts["cpus"] > 0
    async with EngineClient(platform.socket(spec.host_id)) as engine:
        for network in ("bridge", "docker_gwbridge"):
            options = (await engine.get(f"/networks/{network}"))["Options"]
            assert options["com.docker.network.driver.mtu"] == "1400"
    assert "link is up" in await driver.console(spec.host_id)
    assert len((await driver.console(spec.host_id, lines=1)).splitlines()) == 1


async def test_a_container_runs_in_the_nested_engine_from_a_preloaded_image(
    driver: LocalDriver, platform: FakePlatform, machine_spec: Make, workload_images: list[str]
) -> None:
    spec = machine_spec()
    await driver.create(spec)
    await linked(platform, spec)
    async with EngineClient(ENGINE) as outer, EngineClient(platform.socket(spec.host_id)) as inner:
        copied = await preload(outer, inner, workload_images)
        again = await preload(outer, inner, workload_images)
        body = {
            "Image": "127.0.0.1:1/ticker:1",
            "Env": ["RATE=0", "COUNT=30"],
            "HostConfig": {"Memory": 2**25},
        }
        container = await inner.post("/containers/create", body)
        await inner.post(f"/containers/{container['Id']}/start")

        async def printed() -> bool:
            batches = [batch async for batch in inner.container_logs(container["Id"], tty=False)]
            return b"tenth line 30" in b"".join(text for batch in batches for _, text in batch)

        await until(printed, 10, "the ticker's last line")
        with pytest.raises(UserError, match="no-such-image"):
            await preload(outer, inner, ["127.0.0.1:1/no-such-image:1"])
    assert (copied, again) == (workload_images, [])


async def test_hosts_of_one_environment_come_up_together_on_one_network(
    driver: LocalDriver, platform: FakePlatform, machine_spec: Make
) -> None:
    environment = f"env-{uuid.uuid4()}"
    specs = [machine_spec(f"node-{number}", environment) for number in range(1, 4)]

    machines = await asyncio.gather(*(driver.create(spec) for spec in specs))
    await linked(platform, *specs)

    assert len({machine.addresses for machine in machines}) == 3
    assert len(labelled("network", driver)) == 1
    listed = await driver.list_machines(environment)
    assert {machine.host_id for machine in listed} == {spec.host_id for spec in specs}
    assert await driver.list_machines("another") == []
    assert len({facts["public_key"] for facts in platform.facts.values()}) == 3


async def test_creating_nine_at_once_makes_nine(driver: LocalDriver, machine_spec: Make) -> None:
    """Without a working join address: only that nothing collides."""
    environment = f"env-{uuid.uuid4()}"
    specs = [machine_spec("same-name", environment, hub_host="192.0.2.1") for _ in range(9)]

    await asyncio.gather(*(driver.create(spec) for spec in specs))

    assert len(labelled("container", driver)) == 9
    assert len(labelled("network", driver)) == 1
    await driver.destroy_environment(environment)
    assert [labelled(kind, driver) for kind in ("container", "network", "volume")] == [[], [], []]


async def test_creating_twice_finds_the_first(driver: LocalDriver, platform: FakePlatform, machine_spec: Make) -> None:
    spec = machine_spec()

    first, second = await asyncio.gather(driver.create(spec), driver.create(spec))
    third = await LocalDriver(ENGINE, driver.image, driver.installation).create(spec)

    assert first.provider_id == second.provider_id == third.provider_id
    assert len(labelled("container", driver)) == 1
    await linked(platform, spec)
    assert platform.joins == 1


async def test_a_crash_between_create_and_start_is_healed(
    driver: LocalDriver, platform: FakePlatform, machine_spec: Make
) -> None:
    spec = machine_spec()
    async with EngineClient(ENGINE) as engine:
        network = await driver._network(engine, spec)
        await driver._container(engine, spec, network)
    half_made = await driver.find(spec.host_id)
    assert half_made is not None and half_made.state is MachineState.BUILDING

    # A new process does not know yet whether this machine's engine may give privileges.
    machine = await LocalDriver(ENGINE, driver.image, driver.installation).create(spec)

    assert machine.state is MachineState.RUNNING
    await linked(platform, spec)


async def test_destroying_twice_leaves_nothing(driver: LocalDriver, machine_spec: Make) -> None:
    spec = machine_spec()
    await driver.create(spec)

    await asyncio.gather(driver.destroy(spec.host_id), driver.destroy(spec.host_id))
    await driver.destroy(spec.host_id)
    await driver.destroy_environment(spec.environment_id)
    await driver.destroy_environment(spec.environment_id)

    assert await driver.find(spec.host_id) is None
    assert await driver.console(spec.host_id) == ""
    assert [labelled(kind, driver) for kind in ("container", "network", "volume")] == [[], [], []]
    with pytest.raises(PlatformError, match="gone"):
        await driver.start(spec.host_id)


async def test_a_network_that_is_used_by_others_says_by_whom_and_goes_afterwards(
    driver: LocalDriver, machine_spec: Make, workload_images: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "RELEASE_SECONDS", 0.3)
    spec = machine_spec()
    await driver.create(spec)
    (network,) = labelled("network", driver)
    guest = docker("run", "-d", "--label", "platform-manager.test=guest", "--network", network, workload_images[0])
    try:
        name = docker("inspect", "-f", "{{.Name}}", guest).removeprefix("/")
        with pytest.raises(PlatformError, match=f"^The network {network} is used by {name}: disconnect that first"):
            await driver.destroy_environment(spec.environment_id)
    finally:
        docker("rm", "-f", guest)
    await driver.destroy_environment(spec.environment_id)
    assert labelled("network", driver) == []


def test_an_engine_that_lost_count_of_what_is_connected_has_to_be_restarted() -> None:
    said = local.why_it_stays({"Name": "pm-test-env-1", "Containers": {}})
    assert "network pm-test-env-1 is used, though nothing is connected to it: restart the engine" in said


async def test_a_killed_engine_and_a_killed_link_come_back(
    driver: LocalDriver, platform: FakePlatform, machine_spec: Make
) -> None:
    spec = machine_spec()
    container = (await driver.create(spec)).provider_id
    await linked(platform, spec)
    docker("exec", container, "pkill", "-9", "dockerd")

    async def killed() -> bool:
        return "engine ended (exit code 137)" in await driver.console(spec.host_id)

    await until(killed, 5, "the word that the engine ended")
    await linked(platform, spec)

    links = platform.links
    docker("exec", container, "pkill", "-9", "ssh")

    async def linked_again() -> bool:
        return platform.links > links

    await until(linked_again, 10, "a new link")
    await linked(platform, spec)
    assert platform.joins == 1


async def test_a_restarted_host_comes_back_without_enrolling_again(
    driver: LocalDriver, platform: FakePlatform, machine_spec: Make
) -> None:
    spec = machine_spec()
    container = (await driver.create(spec)).provider_id
    await linked(platform, spec)

    docker("kill", container)
    await until(lambda: stopped(driver, spec.host_id), 10, "the stopped container")
    await driver.start(spec.host_id)
    await driver.start(spec.host_id)
    await linked(platform, spec)

    # All but its first process, which then ends; detached, for the command dies with them.
    docker("exec", "-d", container, "sh", "-c", "kill -9 -1")

    async def restarted() -> bool:
        return int(engine_json("inspect", "-f", "{{.RestartCount}}", container)) > 0

    await until(restarted, 20, "the engine's restart of the container")
    await linked(platform, spec)
    assert platform.joins == 1


async def test_a_stopped_host_ends_in_time_and_says_so(
    driver: LocalDriver, platform: FakePlatform, machine_spec: Make
) -> None:
    spec = machine_spec()
    container = (await driver.create(spec)).provider_id
    await linked(platform, spec)

    docker("stop", "-t", "20", container)

    assert engine_json("inspect", "-f", "{{.State.ExitCode}}", container) == 0
    assert "stopping" in await driver.console(spec.host_id)


async def test_a_refused_host_says_why_on_its_console(
    driver: LocalDriver, platform: FakePlatform, machine_spec: Make
) -> None:
    platform.refusal = (410, "This invitation was used already: make a new one.")
    spec = machine_spec()
    await driver.create(spec)

    async def refused() -> bool:
        return "This invitation was used already: make a new one." in await driver.console(spec.host_id)

    await until(refused, 30, "the refusal on the console")
    assert spec.bootstrap.join_url not in await driver.console(spec.host_id)


async def test_limits_hold_for_the_host(driver: LocalDriver, machine_spec: Make) -> None:
    spec = replace(machine_spec(), options={"memory_bytes": 2**29, "cpus": 0.5})
    container = (await driver.create(spec)).provider_id

    limits = engine_json("inspect", "-f", "[{{.HostConfig.Memory}}, {{.HostConfig.NanoCpus}}]", container)

    assert limits == [2**29, 500_000_000]
    with pytest.raises(UserError, match="memory_bytes"):
        await driver.create(replace(machine_spec(), options={"memory_bytes": "much"}))


async def test_a_missing_image_is_named(driver: LocalDriver, machine_spec: Make) -> None:
    driver.image = "127.0.0.1:1/nothing:1"
    with pytest.raises(PlatformError, match="nothing:1 is missing"):
        await driver.create(machine_spec())


async def test_cleaning_up_leaves_other_installations_alone(
    driver: LocalDriver, host_image: str, machine_spec: Make
) -> None:
    other = LocalDriver(ENGINE, host_image, f"{driver.installation}x")
    ours, theirs = machine_spec(), machine_spec()
    try:
        await driver.create(ours)
        await other.create(theirs)

        await driver.cleanup_all()
        await driver.cleanup_all()

        assert [labelled(kind, driver) for kind in ("container", "network", "volume")] == [[], [], []]
        assert [len(labelled(kind, other)) for kind in ("container", "network", "volume")] == [1, 1, 1]
        assert await other.find(theirs.host_id)
    finally:
        await other.cleanup_all()


async def test_the_script_supervises_under_busybox_too(
    driver: LocalDriver, platform: FakePlatform, machine_spec: Make
) -> None:
    """As the engine test above, with busybox sh instead of the image's own shell."""
    spec = machine_spec()
    labels = {"platform-manager.installation": driver.installation, "platform-manager.host": spec.host_id}
    async with EngineClient(ENGINE) as engine:
        network = await driver._network(engine, spec)
        body = nested.container_body(spec, driver.image, network, "", labels, privileged=False)
        body["HostConfig"]["Mounts"] = [{"Type": "tmpfs", "Target": "/var/lib/docker"}]
        body["Cmd"] = ["busybox", *body["Cmd"]]
        container = (await engine.post("/containers/create", body))["Id"]
        await engine.post(f"/containers/{container}/start")
    await linked(platform, spec)

    links = platform.links
    docker("exec", container, "pkill", "-9", "dockerd")
    docker("exec", container, "pkill", "-9", "ssh")

    async def linked_again() -> bool:
        return platform.links > links

    await until(linked_again, 10, "a new link")
    await linked(platform, spec)
    docker("stop", "-t", "20", container)
    assert engine_json("inspect", "-f", "{{.State.ExitCode}}", container) == 0
