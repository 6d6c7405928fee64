"""The connection to a cloud: one token, sessions kept, and whether an account works."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import pytest
from fake_openstack import SECRET, FakeOpenStack, until
from openstack_resources import page
from openstack_samples import Answer

from platform_manager.clouds.openstack import connection
from platform_manager.clouds.openstack.connection import Cloud
from platform_manager.clouds.openstack.driver import OpenStackDriver
from platform_manager.clouds.openstack.verify import Verified, verify
from platform_manager.clouds.openstack.watch import look
from platform_manager.errors import PlatformError, ProviderError, UserError
from platform_manager.wiring import CloudPool

SIGN_IN = "POST /identity/v3/auth/tokens"
BY_CREDENTIAL = {"user": "", "password": "", "project": "", "credential_id": "cred-1", "credential_secret": SECRET}


async def test_one_token_and_one_look_at_versions_for_many_calls(fake: FakeOpenStack, cloud: Cloud) -> None:
    for _ in range(3):
        await cloud.ask(lambda it: list(it.compute.servers()))
        await cloud.ask(lambda it: list(it.network.networks()))
        await cloud.ask(lambda it: list(it.image.images()))

    assert fake.count(SIGN_IN) == 1
    assert sorted(fake.twice()) == sorted(
        ["GET /compute/v2.1/servers/detail", "GET /network/v2.0/networks", "GET /image/v2/images"]
    )


async def test_all_calls_whose_token_expired_together_are_answered(fake: FakeOpenStack, cloud: Cloud) -> None:
    """The library signs in anew for the first of them, and takes the others for refused."""
    for _ in range(5):
        await cloud.ask(lambda it: list(it.compute.flavors()))
        fake.expire_tokens()
        calls = (cloud.ask(lambda it: list(it.compute.flavors())) for _ in range(16))
        assert all(await asyncio.gather(*calls))


async def test_calls_share_connections(fake: FakeOpenStack, cloud: Cloud) -> None:
    for _ in range(5):
        await cloud.ask(lambda it: list(it.compute.servers()))

    assert fake.connections == 1


@pytest.mark.parametrize("service", ["compute", "network", "image"])
async def test_a_token_that_expired_is_renewed_once(fake: FakeOpenStack, cloud: Cloud, service: str) -> None:
    calls: dict[str, Callable[[Any], Any]] = {
        "compute": lambda it: list(it.compute.servers()),
        "network": lambda it: list(it.network.networks()),
        "image": lambda it: list(it.image.images()),
    }
    await cloud.ask(calls[service])
    fake.expire_tokens()

    await cloud.ask(calls[service])
    await cloud.ask(calls[service])

    assert fake.count(SIGN_IN) == 2


async def test_a_token_that_is_never_taken_is_not_asked_for_for_ever(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.trouble("GET /compute/v2.1/servers/detail", Answer(401, "<html>401</html>", "text/html"))

    with pytest.raises(UserError, match="no longer accepts") as caught:
        await cloud.ask(lambda it: list(it.compute.servers()))
    assert caught.value.field == "password"
    assert fake.count(SIGN_IN) == 2


async def test_a_cloud_that_is_too_slow(
    fake: FakeOpenStack, connect: Callable[..., Cloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TIMEOUT_SECONDS", 0.1)
    fake.trouble("GET /compute/v2.1/servers/detail", seconds=0.4)

    with pytest.raises(ProviderError, match="did not answer in time"):
        await connect().ask(lambda it: list(it.compute.servers()))


async def test_a_connection_that_breaks(fake: FakeOpenStack, cloud: Cloud) -> None:
    await cloud.ask(lambda it: list(it.compute.servers()))
    fake.trouble("GET /compute/v2.1/servers/detail", lost=True, times=1)
    await cloud.ask(lambda it: list(it.compute.servers()))
    fake.trouble("GET /compute/v2.1/servers/detail", lost=True)

    with pytest.raises(ProviderError, match=r"127\.0\.0\.1 does not answer"):
        await cloud.ask(lambda it: list(it.compute.servers()))


async def test_an_answer_without_end_is_not_read_to_its_end(
    fake: FakeOpenStack, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_manager.outgoing.MOST_BYTES", 10_000)
    fake.trouble("GET /compute/v2.1/servers/detail", Answer(200, json.dumps({"servers": [], "more": "x" * 20_000})))

    with pytest.raises(ProviderError, match="makes no sense"):
        await cloud.ask(lambda it: list(it.compute.servers()))


async def test_closing_waits_for_nothing_and_leaves_nothing_open(fake: FakeOpenStack) -> None:
    cloud = Cloud(fake.account(), private=True)
    await cloud.ask(lambda it: list(it.compute.servers()))
    fake.trouble("GET /network/v2.0/networks", seconds=0.2)
    late = asyncio.create_task(cloud.ask(lambda it: list(it.network.networks())))
    await until(lambda: fake.count("GET /network/v2.0/networks"))

    cloud.close()

    assert not late.done()
    assert len(await late) == 2
    with pytest.raises(ProviderError, match="changed meanwhile"):
        await cloud.ask(lambda it: list(it.compute.servers()))
    with pytest.raises(ProviderError, match="changed meanwhile"):
        cloud.ask_now(lambda it: list(it.compute.servers()))
    del cloud, late
    gc.collect()  # a socket left open would be a warning, and so an error


def test_a_driver_serves_several_event_loops(fake: FakeOpenStack, openstack: OpenStackDriver) -> None:
    for _ in range(2):
        assert asyncio.run(openstack.list_machines()) == []


async def test_connections_are_kept_by_account(fake: FakeOpenStack) -> None:
    pool = CloudPool(most=2)
    for _ in range(2):
        assert await pool.link("ann", fake.account(), private=True).driver.list_machines() == []
    assert fake.count(SIGN_IN) == 1
    first = pool.link("ann", fake.account(), private=True)
    assert pool.link("bob", fake.account(**BY_CREDENTIAL), private=True) is not first
    assert pool.link("ann", fake.account(), private=True) is first

    changed = pool.link("ann", fake.account(password="new"), private=True)
    assert changed is not first

    pool.link("cleo", fake.account(), private=True)
    assert pool.link("ann", fake.account(password="new"), private=True) is changed
    for key in ("ann", "bob", "cleo"):
        pool.close(key)


# Whether an account works


async def test_an_account_that_works(fake: FakeOpenStack) -> None:
    fake.regions = ("Spain2", "Lannion")

    found = await verify(fake.account(), private=True)

    services = frozenset({"compute", "network", "image"})
    assert found == Verified(fake.resources.project, "demo", ["Lannion", "Spain2"], services)
    assert await verify(fake.account(**BY_CREDENTIAL), private=True) == found
    assert (await verify(fake.account(region=""), private=True)).regions == ["Lannion", "Spain2"]


async def refusal(fake: FakeOpenStack, **changes: Any) -> tuple[str, str | None]:
    with pytest.raises(PlatformError) as caught:
        await verify(fake.account(**changes), private=changes.pop("private", True))
    return str(caught.value), caught.value.field if isinstance(caught.value, UserError) else None


@pytest.mark.parametrize("changes", [{"password": "x"}, {"user": "bob"}, {"project": "none"}])
async def test_a_wrong_password_user_or_project(fake: FakeOpenStack, changes: dict[str, str]) -> None:
    sentence, field = await refusal(fake, **changes)

    assert "The cloud does not say which." in sentence
    assert field == "password"


async def test_a_wrong_application_credential(fake: FakeOpenStack) -> None:
    sentence, field = await refusal(fake, **{**BY_CREDENTIAL, "credential_secret": "x"})

    assert "application credential" in sentence
    assert field == "credential_secret"


@pytest.mark.parametrize(
    ("message", "sentence", "field"),
    [
        ("The password is expired and needs to be changed for user: u-ann.", "has expired", "password"),
        ("The account is locked for user: u-ann.", "locked", "user"),
    ],
)
async def test_a_password_that_expired(fake: FakeOpenStack, message: str, sentence: str, field: str) -> None:
    fake.trouble(SIGN_IN, Answer(401, json.dumps({"error": {"code": 401, "message": message}})))

    told, named = await refusal(fake)

    assert sentence in told
    assert named == field


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, "<html>Not Found</html>", "text/html"),
        Answer(405, ""),
        Answer(200, "<html>Welcome!</html>", "text/html"),
        Answer(201, "{}"),
        Answer(200, "[]"),
    ],
)
async def test_a_url_that_is_of_no_cloud(fake: FakeOpenStack, answer: Answer) -> None:
    fake.trouble(SIGN_IN, answer)

    sentence, field = await refusal(fake)

    assert "no OpenStack identity service at 127.0.0.1" in sentence
    assert field == "auth_url"


async def test_an_identity_service_that_fails(fake: FakeOpenStack) -> None:
    fake.trouble(SIGN_IN, Answer(503, ""))

    assert "identity service fails" in (await refusal(fake))[0]


async def test_nobody_at_the_url(fake: FakeOpenStack) -> None:
    sentence, _ = await refusal(fake, auth_url="http://127.0.0.1:1/v3")

    assert "cloud at 127.0.0.1 does not answer" in sentence


async def test_a_private_address_takes_leave(fake: FakeOpenStack) -> None:
    with pytest.raises(UserError, match="PM_PRIVATE_CLOUDS") as caught:
        await verify(fake.account())
    assert caught.value.field == "auth_url"
    assert not fake.asked


async def test_a_url_that_speaks_no_tls(fake: FakeOpenStack) -> None:
    sentence, field = await refusal(fake, auth_url=fake.url.replace("http:", "https:"))

    assert "speaks no TLS" in sentence
    assert field == "auth_url"


async def test_a_bundle_that_is_none(fake: FakeOpenStack) -> None:
    sentence, field = await refusal(fake, ca="-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")

    assert "CA bundle" in sentence
    assert field == "ca"


async def test_a_region_that_the_cloud_does_not_have(fake: FakeOpenStack) -> None:
    sentence, field = await refusal(fake, region="Spain3")

    assert sentence == "The cloud has no region Spain3: choose one of Spain2."
    assert field == "region"


@pytest.mark.parametrize("missing", ["compute", "network", "image"])
async def test_a_region_without_a_service(fake: FakeOpenStack, missing: str) -> None:
    fake.services = tuple(kind for kind in fake.services if kind != missing)

    sentence, field = await refusal(fake)

    assert f"no {missing} service in the region Spain2" in sentence
    assert field == "region"


async def test_a_service_that_is_asked_for_though_it_is_missing(fake: FakeOpenStack, cloud: Cloud) -> None:
    with pytest.raises(UserError, match="no volume service in the region Spain2"):
        await cloud.ask(lambda it: list(it.block_storage.volumes()))


async def test_a_catalog_that_leads_nowhere(fake: FakeOpenStack) -> None:
    fake.elsewhere["compute"] = "http://localhost:1/compute/v2.1"

    sentence, _ = await refusal(fake)

    assert sentence == "The cloud's own catalog leads to localhost, which does not answer."


@pytest.mark.parametrize(("long", "most"), [(1, 301), (20 * 2**20, 4)])
async def test_a_list_without_an_end_is_read_up_to_a_bound(
    fake: FakeOpenStack, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, long: int, most: int
) -> None:
    path = "/compute/v2.1/servers/detail"

    def endless(service: str, method: str, asked: str, query: dict[str, str], body: object) -> Answer:
        if not asked.endswith("servers/detail"):
            return answered(service, method, asked, query, body)
        last = f"s-{fake.count(path)}"
        more = [{"rel": "next", "href": f"{fake.base}{path}?marker={last}"}]
        server = {"id": last, "name": "x" * long, "status": "ACTIVE"}
        return page(200, {"servers": [server], "servers_links": more})

    answered = fake.resources.answer
    monkeypatch.setattr(fake.resources, "answer", endless)
    with pytest.raises(ProviderError, match="has no end, or is too long"):
        async with asyncio.timeout(60):
            await look(cloud)
    assert fake.count(path) <= most
