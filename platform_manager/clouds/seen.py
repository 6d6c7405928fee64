"""A machine as whoever runs it tells it: everything by which a change behind the platform's back is noticed."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Machine, MachineState

# In Nova's words, which know more states than drivers do.
WORDS = {
    MachineState.BUILDING: "BUILD",
    MachineState.RUNNING: "ACTIVE",
    MachineState.STOPPED: "SHUTOFF",
    MachineState.GONE: "DELETED",
}


@dataclass(frozen=True)
class Seen:
    """``host`` is the id in its mark; ``status`` Nova's word; ``image`` "" where it is not known."""

    id: str
    host: str
    status: str
    fixed: tuple[str, ...]
    floating: tuple[str, ...] = ()
    image: str = ""
    fault: str = ""
    task: str = ""

    @property
    def going(self) -> bool:
        """Whether it is deleted, or being deleted."""
        return self.task == "deleting" or self.status in ("DELETED", "SOFT_DELETED")


def as_listed(machine: Machine) -> Seen:
    """What a driver's own list tells."""
    return Seen(machine.provider_id, machine.host_id, WORDS[machine.state], machine.addresses)
