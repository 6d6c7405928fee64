"""The platform's records."""

from .audit import AuditEntry
from .catalogs import Catalog, CatalogKind, CatalogRecipe, RecipeVersion, RegistryCredential
from .clouds import CloudAccount, CloudCleanup, CloudPreset, CloudSession
from .environments import Environment, EnvironmentTemplate, GroupAccess, Membership
from .hosts import EnrolmentToken, Host
from .invitations import Invitation
from .openings import EnvironmentKey, OpenPort
from .operations import Operation, OperationLog, OperationStep, Worker
from .permissions import Right
from .site import Announcement, PlatformSettings, UserLimits
from .snapshots import Snapshot
from .stacks import Origin, Revision, Stack
from .states import HostRole, HostState, LinkKind, MachineState, MemberRole, OperationState, StackState, StepState

__all__ = [
    "Announcement",
    "AuditEntry",
    "Catalog",
    "CatalogKind",
    "CatalogRecipe",
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
    "Origin",
    "PlatformSettings",
    "RecipeVersion",
    "RegistryCredential",
    "Revision",
    "Right",
    "Snapshot",
    "Stack",
    "StackState",
    "StepState",
    "UserLimits",
    "Worker",
]
