"""Names of other contents, found out without a write: the same as a deployment finds by writing."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from platform_manager.engines.errors import EngineError
from platform_manager.swarm.plan_rotation import planned_renames
from platform_manager.swarm.rotation import Declared, renames, rotated

KEY = b"key of the platform"
OF_STACK = {"com.docker.stack.namespace": "s1"}
A, B, C = (Declared("secrets", "key", "s1_key", content) for content in (b"a", b"b", b"c"))


class Swarm:
    """Secrets by name with what they hold; written again, each refuses other content as a swarm does."""

    def __init__(self, **held: bytes) -> None:
        self.held = held
        self.writes = 0

    async def get(self, path: str, **params: Any) -> Any:
        return [{"ID": name, "Version": {"Index": 1}, "Spec": {"Name": name, "Labels": OF_STACK}} for name in self.held]

    async def post(self, path: str, body: Any = None, **params: Any) -> None:
        self.writes += 1
        if b64encode(self.held[path.split("/")[2]]).decode() != body["Data"]:
            raise EngineError("refused", status=400, detail="only updates to Labels are allowed")

    async def delete(self, path: str, **params: Any) -> None:
        raise AssertionError("a plan removes nothing")


def holding(*secrets: tuple[str, Declared]) -> Swarm:
    return Swarm(**{name: one.content for name, one in secrets})


PLAIN, AS_B = "s1_key", rotated(B, KEY)


@pytest.mark.parametrize(
    ("swarm", "last", "wanted"),
    [
        (holding(), None, A),
        (holding((PLAIN, A)), A, A),
        (holding((PLAIN, A)), A, B),
        (holding((PLAIN, A), (AS_B, B)), B, B),
        (holding((PLAIN, A), (AS_B, B)), B, C),
        (holding((AS_B, B)), B, B),
        (holding((AS_B, B)), B, A),
        (holding((AS_B, B)), B, C),
        (holding((PLAIN, A), (AS_B, B)), A, B),
    ],
)
async def test_a_plan_finds_the_name_that_a_deployment_finds(
    swarm: Swarm, last: Declared | None, wanted: Declared
) -> None:
    names, _ = await planned_renames(swarm, [wanted], [last] if last else [], "s1", KEY)  # type: ignore[arg-type]
    assert swarm.writes == 0
    assert names == await renames(swarm, [wanted], "s1", KEY)


async def test_it_is_said_when_nobody_knows_what_a_secret_holds() -> None:
    for swarm, last, sure in (
        (holding((PLAIN, A)), [A], True),
        (holding((PLAIN, A)), [], False),
        (holding((AS_B, B)), [], False),
        (holding((PLAIN, A), (AS_B, B)), [B], False),
    ):
        assert (await planned_renames(swarm, [C], last, "s1", KEY))[1] is sure  # type: ignore[arg-type]
        assert swarm.writes == 0


async def test_a_secret_that_was_left_out_for_a_while_is_not_said_to_change() -> None:
    """The last deployment did not declare it, so nobody knows; another secret of the stack says nothing of it."""
    other = Declared("secrets", "other", "s1_other", b"x")
    swarm = holding((PLAIN, A), ("s1_other", other))
    names, sure = await planned_renames(swarm, [other, A], [other], "s1", KEY)  # type: ignore[arg-type]
    assert (names, sure) == ({}, False)
