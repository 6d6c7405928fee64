"""What a cloud refuses is a sentence for a person, names the field to mend, and holds no secret."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable
from contextlib import suppress

import openstack_samples as samples
import pytest
from conftest import TOKEN
from fake_openstack import PASSWORD, SECRET, FakeOpenStack
from openstack_resources import INTERNAL
from openstack_samples import Answer

from platform_manager.clouds.base import MachineSpec
from platform_manager.clouds.openstack.connection import Cloud
from platform_manager.clouds.openstack.driver import OpenStackDriver
from platform_manager.errors import PlatformError, ProviderError, UserError

Order = Callable[..., MachineSpec]
POOL = "public-ext-net-01"
CREATE = "POST /compute/v2.1/servers$"
SERVER = [
    ("flavor gone", "flavor is gone", "flavor"),
    ("image gone", "image is gone", "image"),
    ("key pair gone", "key pair is gone", "key_pair"),
    ("network gone", "network is gone", "network"),
    ("security group gone", "security group is gone", "security_groups"),
    ("user data no base64", "bootstrap script as user data", ""),
    ("user data too long", "bootstrap script as user data", ""),
    ("unknown attribute", "does not take what was asked", None),
    ("empty name", "does not take the name", "name"),
    ("disk too small", "disk is too small for the image", "flavor"),
    ("two groups of one name", "same name: choose by id", "security_groups"),
    ("quota of instances", r"\(instances\): 5 more asked for, 1 used of 5\.", "quantity"),
    ("quota of several", r"\(cores, ram\): 12, 24576 more asked for, 1, 512 used of 10, 20480\.", "quantity"),
    ("policy", "role of a member", ""),
]
OTHERS = [
    ("POST .*/floatingips$", samples.FLOATING["quota"], "no more floating IPs", "floating_pool"),
    ("POST .*/floatingips$", samples.FLOATING["pool empty"], "no free addresses", "floating_pool"),
    ("POST .*/security-groups$", samples.GROUP["quota"], "no more of: security_group", ""),
    ("POST .*/security-groups$", samples.GROUP["policy"], "role of a member", ""),
    (CREATE, samples.GROUP["foreign network"], "may not use this network", "network"),
    ("POST .*/os-keypairs$", samples.KEY_PAIR_BAD, "does not take the public key", "public_key"),
]
FAULTS = [
    ("no valid host", "no machine with room", "flavor"),
    ("no network", "could not connect the server to its network", None),
    ("hypervisor", "could not build the server: no space left on the hypervisor.", None),
    ("retries", "failed on all", None),
]
FAILING = [
    (Answer(500, "<html>Internal Server Error</html>", "text/html"), "compute service fails .*status 500"),
    (Answer(503, ""), "compute service fails .*status 503"),
    (Answer(429, ""), "asked less often"),
    (Answer(200, "<html>Welcome!</html>", "text/html"), "makes no sense"),
    (Answer(200, '{"servers": 5}'), "makes no sense"),
    (Answer(200, "[]"), "makes no sense"),
    (Answer(200, '{"servers": [{"id": "x", "addresses": {"n": [5]}}]}'), "makes no sense"),
    (Answer(418, ""), "status 418"),
]


async def refused(openstack: OpenStackDriver, spec: MachineSpec) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        await openstack.create(spec)
    return caught.value


def field_of(error: PlatformError) -> str | None:
    return error.field if isinstance(error, UserError) else None


@pytest.mark.parametrize(("name", "sentence", "field"), SERVER)
async def test_refusals_of_a_server(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order, name: str, sentence: str, field: str | None
) -> None:
    fake.trouble(CREATE, samples.SERVER[name])

    error = await refused(openstack, order())

    assert field_of(error) == field
    with pytest.raises(PlatformError, match=sentence):
        raise error
    assert len(str(error)) < 300


@pytest.mark.parametrize(("pattern", "answer", "sentence", "field"), OTHERS)
async def test_refusals_of_what_a_server_needs(
    fake: FakeOpenStack,
    openstack: OpenStackDriver,
    order: Order,
    pattern: str,
    answer: Answer,
    sentence: str,
    field: str,
) -> None:
    fake.trouble(pattern, answer)

    error = await refused(openstack, order(floating_pool=POOL, public_key="ssh-ed25519 AAAA"))

    assert sentence in str(error)
    assert field_of(error) == field


@pytest.mark.parametrize(("name", "sentence", "field"), FAULTS)
async def test_faults_of_a_build(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order, name: str, sentence: str, field: str | None
) -> None:
    fake.resources.fault = samples.FAULTS[name]

    error = await refused(openstack, order())

    assert sentence in str(error)
    assert field_of(error) == field
    assert "Build of instance" not in str(error)


async def test_a_build_that_fails_without_a_word(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    fake.resources.fault = ""

    assert "does not say why" in str(await refused(openstack, order()))


async def test_what_is_there_already_is_no_failure(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    fake.trouble("POST .*/security-group-rules", samples.RULE_EXISTS)
    fake.trouble("POST .*/os-keypairs", samples.KEY_PAIR_EXISTS)
    name = "platform-manager_abc123_env-1_op-1"
    fake.resources.keys[name] = {"name": name}
    fake.trouble("GET .*/os-keypairs", samples.Answer(200, '{"keypairs": []}'))

    await openstack.create(order(public_key="ssh-ed25519 AAAA"))


async def test_a_server_that_somebody_locked(fake: FakeOpenStack, openstack: OpenStackDriver, order: Order) -> None:
    await openstack.create(order())
    fake.trouble("DELETE /compute", samples.nova("conflictingRequest", 409, "Instance 8001d4b3 is locked"))

    with pytest.raises(UserError, match="unlock it"):
        await openstack.destroy("host-1")


async def test_a_pool_that_is_gone(openstack: OpenStackDriver, order: Order) -> None:
    error = await refused(openstack, order(floating_pool="none"))

    assert field_of(error) == "floating_pool"


@pytest.mark.parametrize(("answer", "sentence"), FAILING)
async def test_a_cloud_that_fails(
    fake: FakeOpenStack, openstack: OpenStackDriver, answer: Answer, sentence: str
) -> None:
    fake.trouble("GET /compute/v2.1/servers/detail", answer)

    with pytest.raises(ProviderError, match=sentence) as caught:
        await openstack.list_machines()
    assert caught.value.retryable


async def test_a_failure_that_passes_is_not_noticed(fake: FakeOpenStack, openstack: OpenStackDriver) -> None:
    fake.trouble("GET /compute/v2.1/servers/detail", Answer(503, ""), times=2)

    assert await openstack.list_machines() == []


async def test_what_may_have_been_done_is_not_asked_again(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order
) -> None:
    fake.trouble(CREATE, Answer(503, ""))

    error = await refused(openstack, order())

    assert "status 503" in str(error)
    assert fake.count(CREATE) == 1


async def test_a_wrong_guess_of_versions_is_not_kept(fake: FakeOpenStack, cloud: Cloud) -> None:
    fake.trouble("GET /(network|image|compute)/?(v[0-9.]+/?)?$", Answer(503, ""))
    fake.trouble("GET", Answer(503, ""))
    for look in (lambda it: list(it.network.networks()), lambda it: list(it.image.images())):
        with suppress(PlatformError):
            await cloud.ask(look)
    fake.troubles.clear()

    assert len(await cloud.ask(lambda it: list(it.network.networks()))) == 2
    assert len(await cloud.ask(lambda it: list(it.image.images()))) == 2


# Secrets

ECHOING = [*samples.SERVER.values(), Answer(500, "{secret}"), Answer(400, "{secret}"), Answer(409, "{secret}")]


@pytest.mark.parametrize("answer", ECHOING)
async def test_no_answer_brings_user_data_or_passwords_to_light(
    fake: FakeOpenStack, openstack: OpenStackDriver, order: Order, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    """Also not an answer that repeats what it was asked, at the most talkative level of the log."""
    caplog.set_level(logging.DEBUG)
    for name in ("keystoneauth", "openstack", "urllib3", "requests"):
        caplog.set_level(logging.DEBUG, name)
    asked = base64.b64encode(TOKEN.encode()).decode()
    fake.trouble(CREATE, Answer(answer.status, answer.body.replace("{secret}", f"{TOKEN} {asked}"), answer.kind))

    error = await refused(openstack, order())

    hidden = [TOKEN, PASSWORD, asked, "IyMjIyMj", "IyEvYmluL3No", "gAAAA-"]
    told = "".join([caplog.text, repr(error), *traceback.format_exception(error)])
    assert not [secret for secret in hidden if secret in told]
    assert error.__cause__ is error.__context__ is None


async def test_what_works_brings_none_to_light_either(
    fake: FakeOpenStack, connect: Callable[..., Cloud], order: Order, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    cloud = connect(user="", password="", project="", credential_id="cred-1", credential_secret=SECRET)

    await OpenStackDriver(cloud, "abc123").create(order())

    hidden = [TOKEN, SECRET, "IyEvYmluL3No", "gAAAA-", "sfi55L"]
    assert "POST /compute/v2.1/servers" in caplog.text
    assert not [secret for secret in hidden if secret in caplog.text]
    assert INTERNAL not in repr(cloud)
    assert SECRET not in repr(cloud.account)
