"""The platform's records."""

from .audit import AuditEntry
from .clouds import CloudAccount, CloudCleanup, CloudPreset, CloudSession
from .environments import Environment, EnvironmentTemplate, GroupAccess, Membership
from .hosts import EnrolmentToken, Host
from .invitations import Invitation
from .openings import EnvironmentKey, OpenPort
from .operations import Operation, OperationLog, OperationStep, Worker
from .permissions import Right
from .site import Announcement, PlatformSettings, UserLimits
from .snapshots import Snapshot
from .stacks import Revision, Stack
from .states import HostRole, HostState, LinkKind, MachineState, MemberRole, OperationState, StackState, StepState

__all__ = [
    "Announcement",
    "AuditEntry",
    "CloudAccount",
    "CloudCleanup",
    "CloudPreset",
    "CloudSession",
    "EnrolmentToken",
    "Environment",
    "EnvironmentKey",
    "EnvironmentTemplate",
    "GroupAccess",
    "Host",
    "HostRole",
    "HostState",
    "Invitation",
    "LinkKind",
    "MachineState",
    "MemberRole",
    "Membership",
    "OpenPort",
    "Operation",
    "OperationLog",
    "OperationState",
    "OperationStep",
    "PlatformSettings",
    "Revision",
    "Right",
    "Snapshot",
    "Stack",
    "StackState",
    "StepState",
    "UserLimits",
    "Worker",
]
