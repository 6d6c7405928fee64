"""Who belongs to an environment: roles of members and groups, leaving, and handing it over."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet

from dashboard.models import Environment, GroupAccess, MemberRole, Membership
from dashboard.models.auditing import record
from dashboard.models.hints import environment_group, hint, user_group
from dashboard.models.permissions import is_operator
from platform_manager.errors import UserError

from .limits import check_may_own
from .request import locked

# What each role is for, for who chooses one.
ROLE_SENTENCES = {
    MemberRole.OWNER: "Everything, also who is a member, and deleting the environment.",
    MemberRole.MEMBER: "Deploys stacks, adds and removes hosts, changes the settings.",
    MemberRole.RESTRICTED: "Deploys stacks; hosts, settings and members stay as they are.",
    MemberRole.READ_ONLY: "Looks at everything and reads logs; changes nothing.",
}
# A large group's members find the change by their next look.
MOST_HINTED = 500
LAST_OWNER = "{who} the last owner of {environment}, and an environment has at least one. {first}"
GROUP_ROLES = frozenset(role for role, _ in GroupAccess.ROLES)


def announce(environment: Environment, user_ids: Iterable[int]) -> None:
    """Open pages look again at who may see them, within seconds."""
    hint(environment_group(environment.pk), what="members")
    for user_id in user_ids:
        hint(user_group(user_id), what="access")


def owners(environment: Environment) -> QuerySet[Membership]:
    """Memberships of owners who can sign in, the longest first."""
    found = environment.memberships.filter(role=MemberRole.OWNER, user__is_active=True)
    return found.select_related("user").order_by("pk")


def is_last_owner(environment: Environment, user: User) -> bool:
    role = environment.memberships.filter(user=user).values_list("role", flat=True).first()
    return role == MemberRole.OWNER and not owners(environment).exclude(user=user).exists()


def _membership(environment: Environment, user: User) -> Membership:
    found = environment.memberships.select_related("user").filter(user=user).first()
    if found is None:
        raise UserError(f"{user} is no member of this environment any more.")
    return found


def _keep_an_owner(environment: Environment, user: User, by: User) -> None:
    """UserError where nobody else owns the environment; otherwise it counts for another owner from now on."""
    if is_last_owner(environment, user):
        who = "You are" if user == by else f"{user} is"
        first = "Make somebody else an owner first, or hand the environment over."
        raise UserError(LAST_OWNER.format(who=who, environment=environment.name, first=first))
    if environment.owner_id == user.pk:
        _pass_on(environment, user, by)


def _pass_on(environment: Environment, user: User, by: User) -> None:
    """To the first other owner who has no environment of this name."""
    refusals = []
    for other in owners(environment).exclude(user=user):
        try:
            _check_may_take(environment, other.user)
        except UserError as error:
            refusals.append(str(error))
            continue
        _set_owner(environment, other.user, by)
        return
    reason = refusals[0] if refusals else "Make somebody else an owner first."
    raise UserError(f"The environment can't pass on to another owner. {reason}")


def _check_may_take(environment: Environment, to: User) -> None:
    """UserError where the environment can't be among this user's own."""
    own = Environment.objects.alive().filter(owner=to).exclude(pk=environment.pk)
    if own.filter(name__iexact=environment.name).exists():
        raise UserError(
            f"{to} has an environment called {environment.name} already, and the names of one's own environments "
            "differ. Rename one of the two first.",
            "to",
        )
    check_may_own(to, environment)


def _set_owner(environment: Environment, to: User, by: User) -> None:
    before, environment.owner = environment.owner, to
    environment.save(update_fields=["owner"])
    record("environment.transfer", environment, by=by, before=before.get_username(), after=to.get_username())


@transaction.atomic
def change_role(environment: Environment, user: User, role: MemberRole, *, by: User) -> None:
    """Give a member another role."""
    fresh = locked(environment)
    membership = _membership(fresh, user)
    before = MemberRole(membership.role)
    if role == before:
        return
    if before == MemberRole.OWNER:
        _keep_an_owner(fresh, user, by)
    membership.role = role
    membership.save(update_fields=["role"])
    record("member.role", membership, by=by, name=user.get_username(), before=before.label, after=role.label)
    announce(fresh, [user.pk])


@transaction.atomic
def remove_member(environment: Environment, user: User, *, by: User) -> None:
    """Take a member's own role away; one through a group stays."""
    fresh = locked(environment)
    membership = _membership(fresh, user)
    if membership.role == MemberRole.OWNER:
        _keep_an_owner(fresh, user, by)
    role = MemberRole(membership.role).label
    record("member.leave" if user == by else "member.remove", membership, by=by, name=user.get_username(), role=role)
    _withdraw_offers(fresh, user, by)
    membership.delete()
    announce(fresh, [user.pk])


def _withdraw_offers(environment: Environment, user: User, by: User) -> None:
    """Else who was removed comes back by an invitation of before."""
    for offer in environment.invitations.filter(user=user, answered_at=None):
        record("member.withdraw", offer, by=by, name=user.get_username())
        offer.delete()


def leave_refusal(environment: Environment, user: User) -> str:
    """Why the user can't leave; empty when nothing stands in the way."""
    if not environment.memberships.filter(user=user).exists():
        group = environment.group_accesses.filter(group__user=user).values_list("group__name", flat=True).first()
        if group:
            return f"You are here through the group {group}; an owner of the environment can take its role away."
        return "You are no member of this environment, so there is nothing to leave."
    if is_last_owner(environment, user):
        first = "Hand it over or make somebody else an owner first; or delete it."
        return LAST_OWNER.format(who="You are", environment=environment.name, first=first)
    return ""


def leave_environment(environment: Environment, user: User) -> None:
    """Give up one's own role."""
    refusal = leave_refusal(environment, user)
    if refusal:
        raise UserError(refusal)
    remove_member(environment, user, by=user)


def check_name(environment: Environment, typed_name: str) -> None:
    if " ".join(typed_name.split()) != environment.name:
        raise UserError(f"Type the environment's name, {environment.name}, to hand it over.", "typed_name")


@transaction.atomic
def transfer_environment(environment: Environment, to: User, *, by: User) -> None:
    """Make ``to`` the owner for whom the environment counts; the owner of before becomes a member.

    Only a member can be made one, except by operators.
    """
    fresh = locked(environment)
    before = fresh.owner
    if to == before:
        raise UserError(f"{to} is the owner already.", "to")
    if not to.is_active:
        raise UserError(f"{to} can't sign in at the moment; choose somebody else.", "to")
    if not (is_operator(by) or fresh.memberships.filter(user=to).exists()):
        raise UserError(f"{to} is no member of this environment. Invite them first.", "to")
    _check_may_take(fresh, to)
    Membership.objects.update_or_create(environment=fresh, user=to, defaults={"role": MemberRole.OWNER})
    fresh.memberships.filter(user=before).update(role=MemberRole.MEMBER)
    _set_owner(fresh, to, by)
    announce(fresh, [before.pk, to.pk])


# Groups


def groups_for(user: User) -> QuerySet[Group]:
    """The groups that the user may let into an environment: one's own; operators, all."""
    found = Group.objects.all() if is_operator(user) else user.groups.all()
    return found.order_by("name")


def _group_announced(environment: Environment, group: Group) -> None:
    announce(environment, group.user_set.order_by("pk").values_list("pk", flat=True)[:MOST_HINTED])


def _group_role(role: MemberRole) -> MemberRole:
    if role not in GROUP_ROLES:
        raise UserError("A group can't own an environment; its owners are people.", "role")
    return role


@transaction.atomic
def grant_group(environment: Environment, group: Group, role: MemberRole, *, by: User) -> GroupAccess:
    """Let everybody in a group into the environment."""
    fresh = locked(environment)
    if not groups_for(by).filter(pk=group.pk).exists():
        raise UserError("Choose a group that you belong to.", "group")
    if fresh.group_accesses.filter(group=group).exists():
        raise UserError(f"{group} has a role here already; change it in the list.", "group")
    made = GroupAccess.objects.create(environment=fresh, group=group, role=_group_role(role))
    record("group.grant", made, by=by, name=group.name, role=role.label)
    _group_announced(fresh, group)
    return made


def _access(environment: Environment, group: Group) -> GroupAccess:
    found = environment.group_accesses.select_related("group").filter(group=group).first()
    if found is None:
        raise UserError(f"{group} has no role in this environment any more.")
    return found


@transaction.atomic
def change_group(environment: Environment, group: Group, role: MemberRole, *, by: User) -> None:
    """Give a group another role."""
    fresh = locked(environment)
    access = _access(fresh, group)
    before = MemberRole(access.role)
    access.role = _group_role(role)
    access.save(update_fields=["role"])
    record("group.role", access, by=by, name=group.name, before=before.label, after=role.label)
    _group_announced(fresh, group)


@transaction.atomic
def revoke_group(environment: Environment, group: Group, *, by: User) -> None:
    """Take a group's role away; members with a role of their own keep it."""
    fresh = locked(environment)
    access = _access(fresh, group)
    record("group.revoke", access, by=by, name=group.name, role=access.get_role_display())
    access.delete()
    _group_announced(fresh, group)
