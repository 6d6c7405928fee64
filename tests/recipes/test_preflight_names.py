"""Names the swarm refuses half way are refused before, and so is one name for two things."""

import pytest
from looking import only, problems, said, seen, service

from platform_manager.recipes import Severity

LONG = "a" * 70


@pytest.mark.parametrize(
    ("use", "declare"),
    [
        ("networks: [my.net]", "networks: {my.net: }"),
        ("networks: [n]", f"networks: {{n: {{name: {LONG}}}}}"),
        ("networks: [n]", "networks: {n: {name: host}}"),
        ("networks: [n]", "networks: {n: {name: ingress}}"),
        ("volumes: ['data:/x']", "volumes: {data: {name: /etc}}"),
        ("volumes: ['data:/x']", "volumes: {data: {name: x}}"),
        ("configs: [c]", "configs: {c: {name: 'a b', file: f}}"),
        ("secrets: [s]", f"secrets: {{s: {{name: {LONG}, file: f}}}}"),
        ("secrets: [s.]", "secrets: {s.: {file: f}}"),
    ],
)
def test_names_that_the_swarm_refuses_are_errors(use: str, declare: str) -> None:
    found = only(service(use) + declare, {"f": b"x"})

    assert (found.severity, found.line) == (Severity.ERROR, 2)


@pytest.mark.parametrize(
    ("use", "declare"),
    [
        ("networks: [my_net-1]", "networks: {my_net-1: }"),
        ("volumes: ['data:/x']", "volumes: {data: {name: 'data-{{.Task.Slot}}'}}"),
        ("volumes: ['data:/x']", "volumes: {data: {name: a.b_c}}"),
        ("secrets: [traefik.toml]", "secrets: {traefik.toml: {file: f}}"),
        ("labels: {}", "networks: {my.net: }"),
    ],
)
def test_names_that_the_swarm_takes_pass(use: str, declare: str) -> None:
    assert problems(service(use) + declare, {"f": b"x"}) == []


@pytest.mark.parametrize("kind", ["configs", "secrets"])
def test_two_contents_under_one_name_are_an_error(kind: str) -> None:
    text = service(f"{kind}: [a, b]") + f"{kind}: {{a: {{name: one, file: f}}, b: {{name: one, file: g}}}}"

    found = only(text, {"f": b"x", "g": b"y"})

    assert (found.severity, "both named 'one'" in found.message) == (Severity.ERROR, True)


def test_two_networks_of_one_name_are_one_network() -> None:
    text = service("networks: [a, b]") + "networks: {a: {name: one}, b: {name: one}}"

    assert only(text).severity is Severity.WARNING


def test_a_stack_without_a_name_is_not_measured_by_names_that_exist() -> None:
    text = service("networks: [backend]") + "networks: {backend: {}, host: {}}"

    assert said(text, stack_name="", networks={"backend"}, network_stacks={"backend": ""}) == []


@pytest.mark.parametrize("kind", ["networks", "secrets", "configs"])
def test_what_can_t_exist_under_its_name_is_not_offered(kind: str) -> None:
    text = service(f"{kind}: [one]") + f"{kind}: {{one: {{external: true, name: 'no such/name'}}}}"

    shown = seen(text)

    assert ([problem.offer for problem in shown.problems], shown.asked) == ([""], [])


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("service", "services: {b_c: {image: x}}"),
        ("secret", service("secrets: [b_c]") + "secrets: {b_c: {file: f}}"),
        ("config", service("configs: [b_c]") + "configs: {b_c: {file: f}}"),
        ("volume", service("volumes: ['b_c:/x']") + "volumes: {b_c: {}}"),
    ],
)
def test_two_stacks_whose_names_join_to_one_are_refused_with_both(kind: str, text: str) -> None:
    files = {"f": b"x"}
    taken = {f"{kind}s": {"a_b_c": "a_b"}}

    found = only(text, files, stack_name="a", owners=taken)

    assert found.severity is Severity.ERROR
    assert f"The {kind} 'b_c' would be 'a_b_c' on the swarm, which is 'c' of the stack 'a_b'." in found.message
    assert "Rename 'b_c', or choose another stack name" in found.message
    assert problems(text, files, stack_name="a", owners={f"{kind}s": {"a_b_c": "a"}}) == []
    assert problems(text, files, stack_name="b", owners=taken) == []


@pytest.mark.parametrize(
    ("kind", "text", "remedy"),
    [
        ("service", "services: {b: {image: x}}", "or remove it"),
        ("secret", service("secrets: [b]") + "secrets: {b: {file: f}}", "or write 'external: true' to use it"),
        ("config", service("configs: [b]") + "configs: {b: {file: f}}", "or write 'external: true' to use it"),
    ],
)
def test_what_was_made_without_a_stack_is_in_the_way(kind: str, text: str, remedy: str) -> None:
    files = {"f": b"x"}

    found = only(text, files, owners={f"{kind}s": {"shop_b": ""}})

    assert found.severity is Severity.ERROR
    assert f"There is a {kind} 'shop_b' already, made without a stack." in found.message and remedy in found.message
    assert problems(text, files, owners={f"{kind}s": {"shop_b": None}}) == []


def test_a_volume_that_names_itself_may_be_shared_knowingly() -> None:
    text = service("volumes: ['data:/x']") + "volumes: {data: {name: data}}"

    found = only(text, owners={"volumes": {"data": "other"}})

    assert (found.severity, "of the stack 'other'" in found.message) == (Severity.WARNING, True)
    assert problems(text.replace("{name: data}", "{external: true}"), volumes={"data"}) == []
    assert problems(text, owners={"volumes": {"data": ""}}) == []


def test_a_name_that_no_stack_may_have_is_said_once() -> None:
    assert len(said("services: {a: {image: i}}\n", stack_name="Big One")) == 1
