"""What a file expects to find is offered, asked for, or taken as given."""

import pytest
from looking import only, problems, said, seen, service

from platform_manager.recipes import Asked, Severity

NETWORK = service("networks: [back]") + "networks: {back: {external: true, name: backend}}"
VOLUME = service("volumes: ['data:/x']") + "volumes: {data: {external: true}, unused: {external: true}}"


def test_a_network_that_shall_be_made_first_is_no_error_but_part_of_the_preview() -> None:
    shown = seen(NETWORK, wished_networks=frozenset({"backend"}))

    assert (shown.problems, shown.deployable) == ([], True)
    assert [(n.name, n.driver, n.mtu, n.wished) for n in shown.networks] == [("backend", "overlay", 1400, True)]


def test_a_wish_for_a_network_that_exists_makes_nothing() -> None:
    shown = seen(NETWORK, networks={"backend"}, wished_networks=frozenset({"backend"}))

    assert [(n.wished, n.mtu) for n in shown.networks] == [(False, None)]


def test_a_network_that_is_no_overlay_is_said() -> None:
    found = only(NETWORK, networks={"backend"}, network_drivers={"backend": "macvlan"})

    assert (found.severity, "macvlan" in found.message) == (Severity.WARNING, True)


def test_the_ingress_network_can_t_be_joined() -> None:
    text = service("networks: [i]") + "networks: {i: {external: true, name: ingress}}"

    assert only(text, networks={"ingress"}).severity is Severity.ERROR


def test_a_missing_volume_is_offered_and_an_unused_one_is_not() -> None:
    found = only(VOLUME)

    assert (found.severity, found.offer) == (Severity.WARNING, "create-volume:data")
    assert problems(VOLUME, volumes={"data"}) == []
    assert problems(VOLUME, wished_volumes=frozenset({"data"})) == []


@pytest.mark.parametrize("kind", ["secret", "config"])
def test_missing_secrets_and_configs_are_asked_for(kind: str) -> None:
    text = f"services:\n  a: {{image: x, {kind}s: [own]}}\n{kind}s:\n  own: {{external: true, name: theirs}}\n"

    shown = seen(text)

    (found,) = shown.problems
    assert (found.severity, found.offer, found.line) == (Severity.ERROR, f"give-{kind}:theirs", 4)
    assert shown.asked == [Asked(kind, "theirs", found.message, 4, kind == "secret")]  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["secret", "config"])
def test_what_was_given_is_no_error_and_stays_asked(kind: str) -> None:
    text = service(f"{kind}s: [one]") + f"{kind}s: {{one: {{external: true}}}}"

    shown = seen(text, **{f"given_{kind}s": frozenset({"one"})})

    assert shown.deployable
    assert [(asked.name, asked.given) for asked in shown.asked] == [("one", True)]
    assert [one.wished for one in (*shown.secrets, *shown.configs)] == [True]


def test_what_exists_is_not_asked_for() -> None:
    text = service("secrets: [one]") + "secrets: {one: {external: true}}"

    assert (seen(text, secrets={"one"}).asked, seen(text, secrets=None).asked) == ([], [])


def test_files_that_lack_are_asked_for_once_and_secret_where_a_secret_is_made_of_them() -> None:
    text = (
        service("env_file: [app.env, ./app.env], secrets: [s], configs: [c]")
        + "secrets: {s: {file: ./key.pem}}\nconfigs: {c: {file: conf/../key.pem}}"
    )

    shown = seen(text)

    assert {(asked.kind, asked.name, asked.secret) for asked in shown.asked} == {
        ("file", "app.env", False),
        ("file", "key.pem", True),
    }
    assert {problem.offer for problem in shown.problems} == {"give-file:app.env", "give-file:key.pem"}
    assert seen(text, {"app.env": b"A=1", "key.pem": b"k"}).asked == []


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", "~/x", "conf/../../x", "C:/x"])
def test_paths_that_leave_the_recipe_are_errors_that_nothing_can_be_given_for(path: str) -> None:
    text = service("configs: [c]") + f"configs: {{c: {{file: '{path}'}}}}"

    shown = seen(text)

    assert (shown.asked, [p.offer for p in shown.problems if p.severity is Severity.ERROR]) == ([], [""])


def test_a_folder_is_no_file() -> None:
    text = service("configs: [c]") + "configs: {c: {file: ./conf}}"

    found = only(text, {"conf/app.json": b"{}"})

    assert (found.severity, found.offer) == (Severity.ERROR, "")
    assert "folder of the recipe" in found.message


def test_nothing_is_said_of_what_is_external_and_unused() -> None:
    text = service("labels: {}") + "secrets: {s: {external: true}}\nnetworks: {n: {external: true}}"

    assert said(text) == []
