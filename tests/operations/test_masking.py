"""No secret comes into what an operation says: not its answers, not what looks like a secret."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from dashboard.models import Host, HostRole, Operation, OperationState, Revision, StackState
from dashboard.operations import catalogue, runner
from dashboard.operations.context import StepContext
from dashboard.operations.masking import Masker, unsaid
from platform_manager import wiring
from tests import factories
from tests.engines.fake_engine import FakeEngine, http

WORDS = "OPENSSH PRIVATE " + "KEY"  # in one piece it would look like a key in the repository
PASSWORD = "Tr0ub4dor:and/3"  # no size, which the Docker CLI says with the value
KEY = '-----BEGIN KEY-----\nabcdefgh"ijkl\nmno\nqrstuvwx\n-----END KEY-----'
COMPOSE = """
services:
  web:
    image: 127.0.0.1:1/ticker:1
    deploy: {resources: {limits: {memory: "${ADMIN_PASSWORD}"}}}
    environment: {KEY: "${TLS_KEY}", GREETING: "${GREETING}"}
"""


@pytest.fixture
def operation(db: None, settings: Any) -> Iterator[Operation]:
    """The deployment of a stack to a swarm whose only manager is a fake engine."""
    catalogue.load()
    environment = factories.environment()
    manager = factories.host(environment, role=HostRole.MANAGER)
    stack = factories.stack(environment, "shop", state=StackState.PLANNING)
    answers = {"ADMIN_PASSWORD": PASSWORD, "TLS_KEY": KEY, "GREETING": "Hello there"}
    revision = factories.revision(stack, 2, compose=COMPOSE, answers=answers, state=StackState.PLANNING)
    made = factories.operation(
        environment, "Deploy stack shop", kind="deploy_stack", args={"stack": "shop", "revision": revision.pk}
    )
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        settings.PM_SOCKETS = Path(folder)
        engine = FakeEngine(settings.PM_SOCKETS / f"{manager.pk}.sock")
        swarm = {"LocalNodeState": "active", "NodeID": manager.node_id, "ControlAvailable": True}
        engine.answers["/info"] = http({"Swarm": swarm, "SystemTime": "2026-11-22T18:00:00Z"})
        engine.answers["/swarm"] = http({"ID": "swarm"})
        kinds = ("services", "tasks", "nodes", "networks", "secrets", "configs")
        engine.answers |= {f"/{kind}": http([]) for kind in kinds}
        wiring.run(engine.start(), 5)
        yield made
        wiring.run(_end(engine, manager), 5)


async def _end(engine: FakeEngine, manager: Host) -> None:
    await wiring.core().pool.forget(manager.pk)
    await engine.stop()


def said(operation: Operation) -> str:
    """Everything of the operation and its stack that people are shown."""
    operation.refresh_from_db()
    revision = Revision.objects.select_related("stack").get(pk=operation.args["revision"])
    lines = [line.text for line in operation.logs.all()]
    errors = [step.error for step in operation.steps.all()]
    return "\n".join([*lines, *errors, operation.error, operation.result, revision.sentence, revision.stack.sentence])


@pytest.mark.engine
def test_a_password_that_the_docker_cli_quotes_is_masked_everywhere(operation: Operation) -> None:
    runner._prepare(str(operation.pk))
    outcome = runner._perform(str(operation.pk), 1)
    runner._finish(str(operation.pk), 1, outcome)
    words = said(operation)
    assert operation.state == OperationState.FAILED
    assert words.count("The swarm did not accept the stack: ") >= 4, words
    assert "***" in operation.error, words
    for part in (PASSWORD, "Tr0ub4dor", "and/3"):
        assert part not in words


@pytest.mark.parametrize(
    "line",
    [
        f"invalid value {PASSWORD}",
        'invalid value abcdefgh"ijkl',
        'invalid value "abcdefgh\\"ijkl"',
        "http://host/?password=Tr0ub4dor%3Aand%2F3",
    ],
)
def test_an_answer_is_masked_however_it_is_quoted(operation: Operation, line: str) -> None:
    StepContext(operation, 1).log(f"{line}, Hello there mno", "output")
    logged = operation.logs.get().text
    assert "***" in logged
    assert logged.endswith(", Hello there mno")
    assert not any(part in logged for part in ("Tr0ub4dor", "ijkl", "and%2F3"))


def test_an_answer_of_an_earlier_revision_is_masked_too(operation: Operation) -> None:
    StepContext(operation, 1).log("task said s3cret-answer")
    assert operation.logs.get().text == "task said ***"


def test_a_secret_of_several_lines_is_masked_whole_and_line_by_line(operation: Operation) -> None:
    StepContext(operation, 1).log(f"read:\n{KEY}\nthen qrstuvwx")
    assert [line.text for line in operation.logs.all()] == ["read:", "***", "then ***"]


def test_the_answers_are_read_once_for_all_lines_of_a_step(
    operation: Operation, django_assert_max_num_queries: Any
) -> None:
    context = StepContext(operation, 1)
    context.log("first")
    with django_assert_max_num_queries(1 + 2 * connection.in_atomic_block):
        context.log("second")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("docker swarm join --token SWMTKN-1-4n0abc-9xyz 10.0.0.1:2377", "docker swarm join --token SWMTKN-***"),
        ("pull https://ann:hunter2@registry.example/v2/", "pull https://ann:***@registry.example/v2/"),
        ("pull https://ann:p@ss@registry.example/v2/", "pull https://ann:***@registry.example/v2/"),
        ("clone https://ghp_0123456789012345678901234567890123456@git.example/", "clone https://***@git.example/"),
        ("curl http://10.0.0.1:8000/join/Zx81-_abcdefghijk | sh", "curl http://10.0.0.1:8000/join/*** | sh"),
        ("sent Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30", "sent Authorization: Bearer ***"),
        ("X-Auth-Token: gAAAAABkabcdef, next", "X-Auth-Token: ***"),
        ("env MYSQL_ROOT_PASSWORD=hunter22 given", "env MYSQL_ROOT_PASSWORD=*** given"),
        (f"-----BEGIN {WORDS}-----\nb3BlbnNz\n-----END {WORDS}-----\nend", "***\nend"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, masked: str) -> None:
    assert Masker()(text).startswith(masked)
    assert Masker()(Masker()(text)) == Masker()(text)


@pytest.mark.parametrize(
    "text",
    [
        "fw-01: machine is up at 172.17.0.5",
        "Pulling 127.0.0.1:5000/team/web:1.2@sha256:0123456789abcdef",
        "get http://registry:4873/@scope/pkg and ssh://git@git.example/x",
        "The token is wrong or used; ask for a new password.",
        "Update stack shop to revision 2: all 3 tasks run.",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Masker(["", "abc"])(text) == text


def test_what_the_secrets_of_a_stack_hold_is_masked_too(operation: Operation) -> None:
    compose = "services: {web: {image: a}}\nsecrets: {key: {file: ./key.txt}}\nconfigs: {open: {file: open.txt}}"
    files = {"key.txt": "key-in-a-file", "open.txt": "open-in-a-file"}
    Revision.objects.filter(pk=operation.args["revision"]).update(
        compose=compose,
        files={path: b64encode(text.encode()).decode() for path, text in files.items()},
        contents={"secrets": {"token": "given-by-hand"}, "configs": {"plain": "plain-by-hand"}},
    )
    StepContext(operation, 1).log("key-in-a-file open-in-a-file given-by-hand plain-by-hand")
    assert operation.logs.get().text == "*** open-in-a-file *** plain-by-hand"


def test_what_everybody_reads_in_the_file_is_not_masked() -> None:
    file = "services: {wiki-db: {image: 'demo/wiki:1', command: passwords}}"
    assert unsaid(["wiki", "password", "hunter2", ""], file, "shop") == ["password", "hunter2"]
    assert unsaid(["shop"], file, "shop") == []
