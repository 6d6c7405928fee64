"""The platform's records."""

from .environments import Environment, EnvironmentTemplate, Membership
from .hosts import EnrolmentToken, Host
from .operations import Operation, OperationLog, OperationStep, Worker
from .snapshots import Snapshot
from .stacks import Revision, Stack
from .states import HostRole, HostState, MemberRole, OperationState, StackState, StepState

__all__ = [
    "EnrolmentToken",
    "Environment",
    "EnvironmentTemplate",
    "Host",
    "HostRole",
    "HostState",
    "MemberRole",
    "Membership",
    "Operation",
    "OperationLog",
    "OperationState",
    "OperationStep",
    "Revision",
    "Snapshot",
    "Stack",
    "StackState",
    "StepState",
    "Worker",
]
