"""Who looks at an environment, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import User

from dashboard.models import Environment, MemberRole

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


@dataclass(frozen=True)
class Viewer:
    """A member of an environment."""

    environment: Environment
    user: User
    role: MemberRole

    @property
    def can_change(self) -> bool:
        return self.role != MemberRole.READ_ONLY and self.environment.deleted_at is None

    @property
    def is_owner(self) -> bool:
        return self.role == MemberRole.OWNER

    @property
    def shared(self) -> dict[str, Any]:
        """What every template of the environment is given."""
        return {
            "environment": self.environment,
            "role": self.role,
            "can_change": self.can_change,
            "is_owner": self.is_owner,
        }

    def host_names(self) -> dict[str, tuple[str, UUID]]:
        """The name and id of each host by its node's id."""
        hosts = self.environment.hosts.exclude(node_id="").values_list("node_id", "name", "pk")
        return {node_id: (name, pk) for node_id, name, pk in hosts}


def viewer_of(
    user: AbstractBaseUser | AnonymousUser | None, environment_id: UUID | str, *, deleted: bool = False
) -> Viewer | None:
    """The user as a member of the environment; None for outsiders and where there is no such environment.

    With ``deleted`` also one that was deleted: its members may read how that went, and nothing else.
    """
    if not isinstance(user, User):
        return None
    mine = Environment.objects.filter(memberships__user=user) if deleted else Environment.objects.visible_to(user)
    environment = mine.select_related("template", "owner").filter(pk=environment_id).first()
    role = environment.role_of(user) if environment else None
    return Viewer(environment, user, role) if environment and role else None
