"""The states things can be in: the stored word, the word shown to people, its colour and its sentence."""

from typing import NamedTuple

from django.db import models


class Look(NamedTuple):
    """How a state is shown: Tabler colour, whether it is moving, and what it means for the user."""

    colour: str
    moving: bool
    sentence: str


class HostState(models.TextChoices):
    REQUESTED = "requested", "Requested"
    BUILDING = "building", "Building"
    BOOTING = "booting", "Booting"
    BOOTSTRAPPING = "bootstrapping", "Bootstrapping"
    JOINING = "joining", "Joining"
    ACTIVE = "active", "Active"
    DRAINING = "draining", "Draining"
    RECONNECTING = "reconnecting", "Reconnecting"
    DISCONNECTED = "disconnected", "Disconnected"
    REMOVING = "removing", "Removing"
    FAILED = "failed", "Failed"

    @property
    def look(self) -> Look:
        return HOST_LOOKS[self]


HOST_LOOKS = {
    HostState.REQUESTED: Look("secondary", True, "Waiting for its turn."),
    HostState.BUILDING: Look("azure", True, "The machine is being made."),
    HostState.BOOTING: Look("azure", True, "The machine is starting."),
    HostState.BOOTSTRAPPING: Look("azure", True, "The machine prepares its engine and calls in."),
    HostState.JOINING: Look("azure", True, "The host joins the swarm."),
    HostState.ACTIVE: Look("green", False, "The host takes tasks."),
    HostState.DRAINING: Look("yellow", True, "Tasks are moving to other hosts."),
    HostState.RECONNECTING: Look("yellow", True, "The link came back; the engine is being asked for its state."),
    HostState.DISCONNECTED: Look("red", False, "The host does not answer; it is expected to come back by itself."),
    HostState.REMOVING: Look("yellow", True, "The host leaves the swarm and is destroyed."),
    HostState.FAILED: Look("red", False, "The host could not be made; its operation says why."),
}


class HostRole(models.TextChoices):
    MANAGER = "manager", "Manager"
    WORKER = "worker", "Worker"


class LinkKind(models.TextChoices):
    """Who opens the link between the platform and a host."""

    REVERSE = "reverse", "The host dials the platform"
    DIRECT = "direct", "The platform dials the host"


class MachineState(models.TextChoices):
    """What a cloud says of a host's machine."""

    RUNNING = "running", "Running"
    STOPPED = "stopped", "Stopped"
    CHANGED = "changed", "Changed"
    BROKEN = "broken", "Broken"
    GONE = "gone", "Gone"

    @property
    def look(self) -> Look:
        return MACHINE_LOOKS[self]


MACHINE_LOOKS = {
    MachineState.RUNNING: Look("green", False, "The machine runs."),
    MachineState.STOPPED: Look("yellow", False, "The machine was stopped outside the platform."),
    MachineState.CHANGED: Look("yellow", False, "The machine was changed outside the platform."),
    MachineState.BROKEN: Look("red", False, "The cloud says that the machine failed."),
    MachineState.GONE: Look("red", False, "The machine was deleted outside the platform."),
}


class OperationState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def finished(self) -> bool:
        return self in (OperationState.SUCCEEDED, OperationState.FAILED, OperationState.CANCELLED)

    @property
    def look(self) -> Look:
        return OPERATION_LOOKS[self]


OPERATION_LOOKS = {
    OperationState.QUEUED: Look("secondary", True, "Waits for the operations before it in this environment."),
    OperationState.RUNNING: Look("azure", True, "At work."),
    OperationState.SUCCEEDED: Look("green", False, "Done."),
    OperationState.FAILED: Look("red", False, "Stopped by an error; the step says which."),
    OperationState.CANCELLED: Look("secondary", False, "Cancelled by a user."),
}


class StepState(models.TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"

    @property
    def look(self) -> Look:
        return STEP_LOOKS[self]


STEP_LOOKS = {
    StepState.PENDING: Look("secondary", False, "Not started."),
    StepState.RUNNING: Look("azure", True, "At work."),
    StepState.DONE: Look("green", False, "Done."),
    StepState.FAILED: Look("red", False, "Failed."),
    StepState.SKIPPED: Look("secondary", False, "Not needed."),
}


class StackState(models.TextChoices):
    PLANNING = "planning", "Planning"
    DEPLOYING = "deploying", "Deploying"
    CONVERGING = "converging", "Converging"
    RUNNING = "running", "Running"
    DEGRADED = "degraded", "Degraded"
    FAILED = "failed", "Failed"
    ROLLED_BACK = "rolled_back", "Rolled back"
    REMOVING = "removing", "Removing"

    @property
    def look(self) -> Look:
        return STACK_LOOKS[self]


STACK_LOOKS = {
    StackState.PLANNING: Look("secondary", True, "Waiting to be deployed."),
    StackState.DEPLOYING: Look("azure", True, "Being handed to the swarm."),
    StackState.CONVERGING: Look("azure", True, "Tasks are starting."),
    StackState.RUNNING: Look("green", False, "Everything that should run does."),
    StackState.DEGRADED: Look("yellow", False, "Some tasks do not run."),
    StackState.FAILED: Look("red", False, "It does not run; the tasks say why."),
    StackState.ROLLED_BACK: Look("red", False, "The update failed and the swarm went back to the version before."),
    StackState.REMOVING: Look("yellow", True, "Being removed."),
}


class MemberRole(models.TextChoices):
    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"
    RESTRICTED = "restricted", "Restricted"
    READ_ONLY = "read_only", "Read-only"
