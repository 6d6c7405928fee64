"""Who looks at an environment, and what they may do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.models import User

from dashboard.models import Environment, MemberRole, Right
from dashboard.models.permissions import is_operator, rights_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


@dataclass(frozen=True)
class Viewer:
    """Somebody who may look at an environment: a member, or an operator without a role of their own there."""

    environment: Environment
    user: User
    role: MemberRole | None

    @property
    def rights(self) -> frozenset[Right]:
        """What the viewer may do here; a deleted environment can only be looked at."""
        rights = rights_of(self.role, operator=is_operator(self.user))
        return rights & {Right.LOOK} if self.environment.deleted_at else rights

    def may(self, right: Right) -> bool:
        return right in self.rights

    @property
    def role_word(self) -> str:
        return self.role.label if self.role else "Operator"

    @property
    def shared(self) -> dict[str, Any]:
        """What every template of the environment is given; ``can.deploy`` and the like are the viewer's rights."""
        return {
            "environment": self.environment,
            "role": self.role,
            "role_word": self.role_word,
            "can": {right.value: right in self.rights for right in Right},
        }

    def host_names(self) -> dict[str, tuple[str, UUID]]:
        """The name and id of each host by its node's id."""
        hosts = self.environment.hosts.exclude(node_id="").values_list("node_id", "name", "pk")
        return {node_id: (name, pk) for node_id, name, pk in hosts}


def viewer_of(
    user: AbstractBaseUser | AnonymousUser | None, environment_id: UUID | str, *, deleted: bool = False
) -> Viewer | None:
    """The user as a viewer of the environment; None for outsiders and where there is no such environment.

    With ``deleted`` also one that was deleted: its members may read how that went, and nothing else.
    """
    if not isinstance(user, User):
        return None
    mine = Environment.objects.seen_by(user) if deleted else Environment.objects.visible_to(user)
    environment = mine.select_related("template", "owner").filter(pk=environment_id).first()
    return Viewer(environment, user, environment.role_of(user)) if environment else None
