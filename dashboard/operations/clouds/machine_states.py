"""What a machine's cloud says of it, held against the host's row: the state, and the sentence that goes with it."""

from __future__ import annotations

from typing import NamedTuple

from dashboard.models import Host, MachineState
from platform_manager.clouds.seen import Seen

GONE = "It was deleted outside the platform. Recreate the host, or remove it."
RESCUED = "It was started into a rescue system: end the rescue in the cloud's own console."
STOPPED = {
    "SHUTOFF": "It was shut down outside the platform. Start it.",
    "PAUSED": "It was paused outside the platform. Start it.",
    "SUSPENDED": "It was suspended outside the platform. Start it.",
    "SHELVED": "It was shelved outside the platform. Start it.",
    "SHELVED_OFFLOADED": "It was shelved outside the platform. Start it.",
}
STEADY = ("ACTIVE", "VERIFY_RESIZE", "RESCUE", "ERROR", *STOPPED)


class Verdict(NamedTuple):
    """``addresses`` are the host's as they should be recorded."""

    machine: MachineState
    detail: str
    addresses: list[str]


def gone(host: Host) -> Verdict:
    return Verdict(MachineState.GONE, GONE, host.addresses)


def judged(host: Host, seen: Seen) -> Verdict | None:
    """None while the machine is on its way to another state, or the cloud does not say enough."""
    if seen.task or seen.status not in STEADY:
        return None
    if seen.id != host.provider_id:
        return _as_is(
            host,
            MachineState.CHANGED,
            f"Another machine has taken its place: {host.provider_id} became {seen.id}. Recreate the host.",
        )
    if seen.status == "ERROR":
        return _as_is(host, MachineState.BROKEN, f"{_fault(seen)} Recreate the host.")
    if detail := STOPPED.get(seen.status):
        return _as_is(host, MachineState.STOPPED, detail)
    if seen.status == "RESCUE":
        return _as_is(host, MachineState.CHANGED, RESCUED)
    if detail := _rebuilt(host, seen):
        return _as_is(host, MachineState.CHANGED, detail)
    return _running(host, seen)


def _as_is(host: Host, machine: MachineState, detail: str) -> Verdict:
    return Verdict(machine, detail, host.addresses)


def _fault(seen: Seen) -> str:
    from platform_manager.clouds.openstack.refusals import explain_fault

    return str(explain_fault(seen.fault, built=True))


def _rebuilt(host: Host, seen: Seen) -> str:
    made_of = str(host.options.get("image") or "")
    # A server that boots from a volume names no image.
    if not (made_of and seen.image) or seen.image == made_of:
        return ""
    name = (host.options.get("names") or {}).get("image") or made_of
    return (
        f"It was rebuilt outside the platform: its image was {name} and is now {seen.image}. What the platform set up "
        "on it is gone. Recreate the host."
    )


def _running(host: Host, seen: Seen) -> Verdict | None:
    """Other addresses are taken over, but for the first one, under which the swarm knows the host."""
    if not seen.fixed:
        return None
    known = str(host.addresses[0]) if host.addresses else ""
    now = [*seen.fixed, *seen.floating]
    if host.node_id and known and known not in now:
        return _as_is(
            host,
            MachineState.CHANGED,
            f"Its address was changed outside the platform, from {known} to {seen.fixed[0]}, and the swarm knows it "
            "under the old one. Recreate the host.",
        )
    first = [known] if known in now else []
    return Verdict(MachineState.RUNNING, "", [*first, *(address for address in now if address not in first)])
