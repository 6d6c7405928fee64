"""Common causes of failed tasks in plain words: engines name them for who knows engines, and say not what to do.

Words of engines are matched, never trusted: a sentence here says what to look at, and the engine's own words follow it.
"""

from __future__ import annotations

import re

CREDENTIALS = "Settings, Image registries"

DENIED = re.compile(
    r"pull access denied|no basic auth credentials|unauthorized|authentication required|"
    r"requested access to the resource is denied|(?<!permission )\bdenied: ",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"manifest unknown|manifest for \S+ not found|name unknown", re.IGNORECASE)

_FULL = (
    re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE),
    "The host's disk is full: remove images and volumes there that nothing uses, or give it a larger disk.",
)
# What can be wrong with getting an image, the most certain first.
_PULLING = (
    _FULL,
    (
        DENIED,
        "The registry gives the image only to users who may pull it, or has none of this name: "
        f"check the name, and the registry's credentials at {CREDENTIALS}.",
    ),
    (_ABSENT, "The registry has no such image: check its name and its tag."),
    (re.compile(r"toomanyrequests|rate limit", re.IGNORECASE), "The registry wants to be asked less often: try later."),
    (
        re.compile(r"x509: |certificate signed by", re.IGNORECASE),
        "The host does not trust the registry's certificate: an operator can put the one of its authority on each "
        "host, as /etc/docker/certs.d/REGISTRY/ca.crt.",
    ),
    (
        re.compile(r"server gave HTTP response to HTTPS client", re.IGNORECASE),
        "The registry answers without TLS, which hosts refuse: it needs a certificate.",
    ),
    (
        re.compile(r"no matching manifest|does not match the specified platform", re.IGNORECASE),
        "The image is not there for the host's kind of processor.",
    ),
    (
        re.compile(
            r"connection refused|no such host|i/o timeout|network is unreachable|no route to host|"
            r"server misbehaving|deadline exceeded|request canceled|TLS handshake timeout",
            re.IGNORECASE,
        ),
        "The registry can't be reached from the host: check the image's name, and that the host may connect to it.",
    ),
)
_TOO_EARLY = re.compile(r"swarm scoped network when swarm is not active", re.IGNORECASE)
_WITH_HOST = re.compile(r"non-zero exit \(255\)$")
_NO_ADDRESS = re.compile(r"missing network attachments|failed to find a load balancer IP", re.IGNORECASE)
_STARTING = (
    _FULL,
    (
        re.compile(r"port is already allocated|address already in use", re.IGNORECASE),
        "Something else on the host has this port: publish another one, or stop what uses it.",
    ),
    (
        re.compile(r"executable file not found|exec: .*(?:no such file or directory|not a directory)", re.IGNORECASE),
        "The image has no such program: check the service's command and entrypoint.",
    ),
    (
        re.compile(r"exec: .*permission denied", re.IGNORECASE),
        "The image's program may not be executed: check the service's command, entrypoint and user.",
    ),
    (
        re.compile(r"exec format error", re.IGNORECASE),
        "The image's program is for another kind of processor than the host's, or a script without its first line.",
    ),
    (
        re.compile(r"bind source path does not exist", re.IGNORECASE),
        "The host has no such folder: make it there first, or use a volume.",
    ),
    (
        re.compile(r"unable to find user|no matching entries in (?:passwd|group) file", re.IGNORECASE),
        "The image has no such user: check the service's user.",
    ),
    (
        re.compile(r"out of memory|oom.?kill", re.IGNORECASE),
        "It was killed because it used more memory than it may: raise its limit, or make it need less.",
    ),
    (re.compile(r"unhealthy container", re.IGNORECASE), "Its healthcheck failed, so the swarm stopped it."),
    (
        _TOO_EARLY,
        "Its host's engine had just been started and was not back in the swarm yet, which passes.",
    ),
    (
        _NO_ADDRESS,
        "Its host had no address in a network of the stack. Right after the start of an engine that passes by itself; "
        "if it goes on, give the network a larger subnet, and make the stack anew.",
    ),
    (
        _WITH_HOST,
        "Its host's engine or machine was stopped or killed, or the program itself ended with this code.",
    ),
    (
        re.compile(r"non-zero exit \(137\)$"),
        "It was killed, as happens to what uses more memory than its limit or its host has.",
    ),
    (
        re.compile(r"non-zero exit \(127\)$"),
        "A command that it runs is not in the image: check the service's command and entrypoint.",
    ),
    (
        re.compile(r"non-zero exit \(126\)$"),
        "A command that it runs may not be executed: check the service's command and entrypoint.",
    ),
)
# A swarm says no more than this of most failed pulls; the reason stays in the log of the host's engine.
NOT_PULLED = (
    "Its host did not get the image from the registry: check the image's name and tag, that the host can reach the "
    f"registry, and for a private image the credentials at {CREDENTIALS}."
)


def plain(error: str) -> str:
    """What a task's error means and what to do about it; "" where its words are no common ones."""
    if is_image_error(error):
        return pulling(error) or NOT_PULLED
    return _first(error, _STARTING)


def pulling(error: str) -> str:
    """The same of what an engine said when it asked a registry for an image."""
    return _first(error, _PULLING)


def explained(error: str) -> str:
    """The plain sentence where there is one, and behind it the engine's own words."""
    words = error.removeprefix("task: ")
    return f"{plain(words)} The engine said: {words}" if plain(words) else words


def last_error(error: str) -> str:
    """The same as the end of a sentence about a service."""
    words = error.removeprefix("task: ").rstrip(".")
    return f"{plain(words)} Last error: {words}.".strip()


def is_image_error(error: str) -> bool:
    """Whether a task failed for want of its image."""
    lowered = error.lower()
    return any(mark in lowered for mark in ("no such image", "pull access denied", "manifest unknown", "pulling image"))


def is_of_a_start(error: str) -> bool:
    """Whether a task came to a host whose engine was just started, before its networks were there again."""
    return any(words.search(error) for words in (_TOO_EARLY, _NO_ADDRESS))


def is_of_its_host(error: str) -> bool:
    """Whether a task may have ended with its host's engine alone, so that another one can do well."""
    return is_of_a_start(error) or bool(_WITH_HOST.search(error))


def _first(error: str, causes: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    return next((sentence for pattern, sentence in causes if pattern.search(error.rstrip(". "))), "")
