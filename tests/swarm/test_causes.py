"""Common errors of tasks in plain words, which say what to do. The errors are those of real engines."""

from __future__ import annotations

import pytest

from platform_manager.swarm import causes

SHIM = "starting container failed: failed to create shim task: OCI runtime create failed: runc create failed: "
START = f"{SHIM}unable to start container process: "
PORT = "starting container failed: driver failed programming external connectivity on endpoint web.1 (771a61): "
ASKED = 'Get "https://registry.example.org/v2/": '


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("No such image: registry.example.org/web:1", "Its host did not get the image from the registry"),
        (
            "pull access denied for web, repository does not exist",
            "only to users who may",
        ),
        ("No such image: manifest unknown: manifest unknown", "The registry has no such image: check its name"),
        ("write /var/lib/docker/tmp/x: no space left on device", "The host's disk is full"),
        (f"{PORT}Bind for 0.0.0.0:80 failed: port is already allocated", "Something else on the host has this port"),
        (f"{PORT}listen tcp4 0.0.0.0:80: bind: address already in use", "Something else on the host has this port"),
        (f'{START}exec: "web": executable file not found in $PATH: unknown', "has no such program"),
        (f'{START}exec: "/web": stat /web: no such file or directory: unknown', "has no such program"),
        (f'{START}exec: "/etc": permission denied: unknown', "may not be executed"),
        ("unable to find user web: no matching entries in passwd file", "has no such user"),
        ('invalid mount config for type "bind": bind source path does not exist: /srv', "The host has no such folder"),
        ("task: non-zero exit (137)", "It was killed, as happens to what uses more memory"),
        ("task: non-zero exit (137). Out of memory (its limit is 6 MiB)", "because it used more memory than it may"),
        ("task: non-zero exit (137): dockerexec: unhealthy container", "Its healthcheck failed"),
        (
            "node is missing network attachments, ip addresses may be exhausted",
            "Right after the start of an engine that passes",
        ),
        (
            "failed to find a load balancer IP to use for network: sd8aezry920h",
            "if it goes on, give the network a larger subnet",
        ),
        (
            "cannot create a swarm scoped network when swarm is not active",
            "was not back in the swarm yet, which passes",
        ),
        ("task: non-zero exit (255)", "Its host's engine or machine was stopped or killed, or the program itself"),
        ("task: non-zero exit (127)", "A command that it runs is not in the image"),
        ("task: non-zero exit (126)", "A command that it runs may not be executed"),
    ],
)
def test_a_common_error_says_what_to_do_and_keeps_the_engines_words(error: str, sentence: str) -> None:
    words = error.removeprefix("task: ")

    assert sentence in causes.plain(words)
    assert causes.explained(error) == f"{causes.plain(words)} The engine said: {words}"
    assert causes.last_error(error) == f"{causes.plain(words)} Last error: {words}."


@pytest.mark.parametrize(
    "error",
    [
        "task: non-zero exit (7)",
        "task: non-zero exit (12137)",
        "mounting volume: dial unix /run/nfs.sock: connect: connection refused",
        f"{SHIM}mounting proc: permission denied: unknown",
    ],
)
def test_an_error_of_no_known_cause_stands_for_itself(error: str) -> None:
    words = error.removeprefix("task: ")

    assert causes.plain(words) == ""
    assert (causes.explained(error), causes.last_error(error)) == (words, f"Last error: {words}.")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (f"{ASKED}no basic auth credentials", "only to users who may pull it"),
        ("errors: denied: requested access to the resource is denied unauthorized: authentication required", "only to"),
        ("manifest unknown: manifest unknown", "The registry has no such image"),
        (f"{ASKED}x509: certificate signed by unknown authority", "/etc/docker/certs.d/REGISTRY/ca.crt"),
        (f"{ASKED}http: server gave HTTP response to HTTPS client", "without TLS"),
        (f"{ASKED}dial tcp 192.0.2.7:443: connect: connection refused", "can't be reached"),
        (f"{ASKED}dial tcp: lookup registry.example.org: no such host", "can't be reached"),
        ("toomanyrequests: You have reached your pull rate limit", "try later"),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", "kind of processor"),
        ("teapot", ""),
    ],
)
def test_what_a_registry_told_an_engine_is_said_in_plain_words(answer: str, sentence: str) -> None:
    assert sentence in causes.pulling(answer)
    assert bool(sentence) == bool(causes.pulling(answer))
