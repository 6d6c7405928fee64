"""Who did what in an environment: its part of the audit log, for its members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from dashboard.models import AuditEntry, Right
from dashboard.models.permissions import is_operator

from .lists import QUERY_CAP, pages_of
from .members import masked
from .viewer import Viewer

# What the log calls it, and what people do.
ACTIONS = {
    "environment.create": "Created the environment",
    "environment.rename": "Renamed the environment",
    "environment.transfer": "Gave the environment to another owner",
    "environment.delete": "Asked to delete the environment",
    "hosts.add": "Asked to add hosts",
    "host.remove": "Asked to remove a host",
    "host.start": "Asked to start a host",
    "host.recreate": "Asked to recreate a host",
    "host.machine": "A machine was changed outside the platform",
    "host.promote": "Asked to promote a host",
    "host.enrol": "A machine called in",
    "stack.deploy": "Asked to deploy a stack",
    "stack.update": "Asked to update a stack",
    "stack.redeploy": "Asked to deploy a stack again",
    "stack.rollback": "Asked to roll a stack back",
    "stack.remove": "Asked to remove a stack",
    "stack.adopt": "Adopted a stack",
    "stack.release": "Let a stack go",
    "network.remove": "Removed a network",
    "secret.remove": "Removed a secret",
    "config.remove": "Removed a config",
    "catalog.create": "Added a catalog",
    "catalog.upload": "Uploaded a catalog's file",
    "catalog.update": "Changed a catalog",
    "catalog.refresh": "Asked to read a catalog again",
    "catalog.remove": "Removed a catalog",
    "registry.create": "Added credentials of a registry",
    "registry.update": "Changed credentials of a registry",
    "registry.delete": "Removed credentials of a registry",
    "port.open": "Asked to open a port",
    "port.close": "Asked to close a port",
    "security_group.mend": "A security group that was changed outside the platform was put right",
    "operation.cancel": "Cancelled an operation",
    "operation.retry": "Repeated an operation",
    "add_hosts.finished": "Adding hosts ended",
    "remove_host.finished": "Removing a host ended",
    "start_host.finished": "Starting a host ended",
    "recreate_host.finished": "Recreating a host ended",
    "change_role.finished": "Changing a host's role ended",
    "deploy_stack.finished": "A deployment ended",
    "remove_stack.finished": "Removing a stack ended",
    "open_ports.finished": "Opening or closing a port ended",
    "delete_environment.finished": "Deleting the environment ended",
    "member.invite": "Invited somebody",
    "member.invite_again": "Invited somebody again",
    "member.withdraw": "Withdrew an invitation",
    "member.decline": "Declined an invitation",
    "member.join": "Became a member",
    "member.role": "Changed a member's role",
    "member.remove": "Removed a member",
    "member.leave": "Left",
    "group.grant": "Gave a group a role",
    "group.role": "Changed a group's role",
    "group.revoke": "Took a group's role away",
    **{f"access.{right.value}": f"Was refused: {right.value}" for right in Right if right != Right.LOOK},
}
COLOURS = {
    AuditEntry.Outcome.DONE: "green",
    AuditEntry.Outcome.REQUESTED: "blue",
    AuditEntry.Outcome.REFUSED: "orange",
    AuditEntry.Outcome.FAILED: "red",
    AuditEntry.Outcome.CANCELLED: "secondary",
}


@dataclass(frozen=True)
class ActivityRow:
    """One entry; ``address`` is empty for who may not see where others sit."""

    id: str
    at: datetime
    actor: str
    via: str
    address: str
    words: str
    name: str
    outcome: str
    colour: str
    operation: str


def _name(entry: AuditEntry, addresses: bool) -> str:
    """Of what it was done to. Who was invited by mail is for those to read who decide about members."""
    if entry.object_kind == "environment":
        return ""
    by_mail = entry.object_kind == "invitation" and "@" in entry.object_name
    return masked(entry.object_name) if by_mail and not addresses else entry.object_name


def _row(entry: AuditEntry, addresses: bool) -> ActivityRow:
    outcome = AuditEntry.Outcome(entry.outcome)
    operation = entry.detail.get("operation", "")
    return ActivityRow(
        id=f"entry-{entry.pk}",
        at=entry.at,
        actor=entry.actor or "The platform",
        via="" if entry.via == AuditEntry.Via.UI else AuditEntry.Via(entry.via).label,
        address=(entry.address or "") if addresses else "",
        words=ACTIONS.get(entry.action, entry.action.replace(".", " ").replace("_", " ").capitalize()),
        name=_name(entry, addresses),
        outcome=outcome.label,
        colour=COLOURS[outcome],
        operation=entry.object_id if entry.object_kind == "operation" else str(operation),
    )


def _found(viewer: Viewer, params: Mapping[str, str], addresses: bool) -> QuerySet[AuditEntry]:
    entries = AuditEntry.objects.filter(environment_id=viewer.environment.pk)
    # What is shown masked is not found by its letters either.
    masked_rows = Q() if addresses else ~Q(object_kind="invitation", object_name__contains="@")
    for word in params.get("q", "")[:QUERY_CAP].split():
        entries = entries.filter(Q(actor__icontains=word) | Q(object_name__icontains=word) & masked_rows)
    if params.get("action") in ACTIONS:
        entries = entries.filter(action=params["action"])
    return entries


def activity_context(viewer: Viewer, params: Mapping[str, str]) -> dict[str, Any]:
    """Newest first. ``params``: q (words in names of people and things), action, p (page number)."""
    addresses = viewer.may(Right.MEMBERS) or is_operator(viewer.user)
    found = _found(viewer, params, addresses)
    pages = pages_of(found.count(), params)
    return {
        **viewer.shared,
        "rows": [_row(entry, addresses) for entry in found[pages.cut]],
        "addresses": addresses,
        "q": params.get("q", ""),
        "action": params.get("action", ""),
        "actions": list(ACTIONS.items()),
        "pages": pages,
    }
