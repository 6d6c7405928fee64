"""What the swarm says of a task that fits no host, in sentences that name what stands in the way."""

from typing import Any

import pytest

from platform_manager.swarm.scheduling import no_host

SPEC: dict[str, Any] = {
    "TaskTemplate": {
        "Placement": {"Constraints": ["node.role == worker", "node.labels.disk == ssd"], "MaxReplicas": 2},
        "Resources": {"Reservations": {"NanoCPUs": 64_000_000_000, "MemoryBytes": 512 * 2**20}},
    },
    "EndpointSpec": {"Ports": [{"PublishedPort": 8080, "PublishMode": "host"}, {"PublishedPort": 81}]},
}


@pytest.mark.parametrize(
    ("clause", "sentence"),
    [
        (
            "scheduling constraints not satisfied on 3 nodes",
            "3 hosts do not meet the constraint node.role == worker and node.labels.disk == ssd.",
        ),
        (
            "insufficient resources on 1 node",
            "1 host has not enough free for what it reserves (64 CPUs and 512 MiB of memory).",
        ),
        ("host-mode port already in use on 2 nodes", "2 hosts have the port 8080 in use already."),
        (
            "max replicas per node limit exceed on 1 node",
            "1 host has as many of its tasks as it allows on one host (2).",
        ),
        ("unsupported platform on 1 node", "1 host has another processor or system than the image is for."),
        ("missing plugin on 2 nodes", "2 hosts lack a volume or network driver that it needs."),
        ("1 node not available for new tasks", "1 host is not available for new tasks (down, drained or paused)."),
        ("something quite new on 2 nodes", "something quite new on 2 nodes."),
    ],
)
def test_a_reason_names_what_stands_in_the_way(clause: str, sentence: str) -> None:
    assert no_host(f"no suitable node ({clause})", SPEC) == sentence


def test_each_reason_counts_its_own_hosts() -> None:
    said = no_host("no suitable node (insufficient resources on 1 node; 2 nodes not available for new tasks)", {})
    assert said == (
        "1 host has not enough free for what it reserves, 2 hosts are not available for new tasks "
        "(down, drained or paused)."
    )


@pytest.mark.parametrize("words", ["", "no suitable node", "no suitable node (", "on nodes;;"])
def test_words_that_nobody_knows_are_told_as_they_are(words: str) -> None:
    assert no_host(words, None).endswith(".")
