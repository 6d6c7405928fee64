"""Invitations to an environment: sent, sent again, withdrawn, accepted and declined."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from smtplib import SMTPException

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from dashboard.models import AuditEntry, Environment, Invitation, MemberRole, Membership
from dashboard.models.auditing import record
from dashboard.models.invitations import INVITATION_LIFE
from dashboard.models.permissions import RIGHTS
from platform_manager.errors import UserError

from .members import announce
from .request import locked

log = logging.getLogger("platform.invitations")

SENDING = ["member.invite", "member.invite_again"]
GONE = "This invitation was answered, withdrawn, or is too old. Ask whoever invited you for a new one."


@dataclass(frozen=True)
class Sent:
    """An invitation with its link, which is known only now. ``mailed``: None for a user, who sees it when signed in."""

    invitation: Invitation
    link: str
    mailed: bool | None


def addresses_of(user: User) -> QuerySet[EmailAddress]:
    """The addresses that are proven to be the user's."""
    found: QuerySet[EmailAddress] = EmailAddress.objects.filter(user=user, verified=True)
    return found


def invitations_for(user: User) -> QuerySet[Invitation]:
    """Open invitations of this user: by name, or to an address proven to be theirs."""
    proven = addresses_of(user).annotate(low=Lower("email")).values("low")
    found = Invitation.objects.open().filter(Q(user=user) | Q(user=None, email__in=proven))
    return found.select_related("environment", "environment__owner", "invited_by")


def invitation_of(token: str) -> Invitation | None:
    """The open invitation of a link."""
    found = Invitation.objects.open().filter(digest=Invitation.digest_of(token))
    return found.select_related("environment", "environment__owner", "invited_by", "user").first()


def invite(environment: Environment, by: User, *, who: str, role: MemberRole) -> Sent:
    """Invite a user by name, or anybody by e-mail address."""
    who = who.strip()
    with transaction.atomic():
        fresh = locked(environment)
        user = _user_called(who)
        email = "" if user else _address(who)
        _check_not_inside(fresh, by, user, email)
        _check_rate(by)
        token = Invitation.new_token()
        made = Invitation.objects.create(
            environment=fresh,
            user=user,
            email=email,
            role=role,
            invited_by=by,
            digest=Invitation.digest_of(token),
            expires_at=timezone.now() + INVITATION_LIFE,
        )
        record("member.invite", made, by=by, name=str(user or email), role=role.label)
        announce(fresh, _told(made))
    return _sent(made, token, by)


def invite_again(invitation: Invitation, by: User) -> Sent:
    """A new link for two more weeks; the old one ends."""
    with transaction.atomic():
        locked(invitation.environment)
        fresh = _fresh(invitation)
        _check_rate(by)
        token = Invitation.new_token()
        fresh.digest = Invitation.digest_of(token)
        fresh.expires_at = timezone.now() + INVITATION_LIFE
        fresh.save(update_fields=["digest", "expires_at"])
        record("member.invite_again", fresh, by=by, name=str(fresh.user or fresh.email))
        announce(fresh.environment, _told(fresh))
    return _sent(fresh, token, by)


@transaction.atomic
def withdraw(invitation: Invitation, by: User) -> None:
    """Its link ends."""
    fresh = _fresh(invitation)
    record("member.withdraw", fresh, by=by, name=str(fresh.user or fresh.email))
    announce(fresh.environment, _told(fresh))
    fresh.delete()


@transaction.atomic
def accept(invitation: Invitation, user: User) -> Environment:
    """The user becomes a member, or gets the role where it allows more than the one they have."""
    environment = locked(invitation.environment)
    fresh = _fresh(invitation)
    _check_meant(fresh, user)
    role = MemberRole(fresh.role)
    membership, new = Membership.objects.get_or_create(environment=environment, user=user, defaults={"role": role})
    if not new and len(RIGHTS[role]) > len(RIGHTS[MemberRole(membership.role)]):
        membership.role = role
        membership.save(update_fields=["role"])
    _answer(fresh, user, accepted=True)
    record("member.join", membership, by=user, name=user.get_username(), role=membership.get_role_display())
    announce(environment, [user.pk])
    return environment


@transaction.atomic
def decline(invitation: Invitation, user: User) -> None:
    fresh = _fresh(invitation)
    _check_meant(fresh, user)
    _answer(fresh, user, accepted=False)
    record("member.decline", fresh, by=user, name=user.get_username())
    announce(fresh.environment, [user.pk])


def _fresh(invitation: Invitation) -> Invitation:
    """The row as it is now, locked; UserError when it is no longer open under the link it was found by."""
    found = Invitation.objects.open().select_for_update(of=("self",)).select_related("environment", "user")
    fresh = found.filter(pk=invitation.pk, digest=invitation.digest).first()
    if fresh is None:
        raise UserError(GONE)
    return fresh


def _answer(invitation: Invitation, user: User, *, accepted: bool) -> None:
    invitation.answered_at, invitation.accepted, invitation.user = timezone.now(), accepted, user
    invitation.save(update_fields=["answered_at", "accepted", "user"])


def _check_meant(invitation: Invitation, user: User) -> None:
    if invitation.user is not None and invitation.user != user:
        raise UserError(f"This invitation is for {invitation.user}. Sign in as {invitation.user} to answer it.")


def _user_called(who: str) -> User | None:
    """By name, in any case of letters where that is clear; UserError for a name that nobody has."""
    if not who:
        raise UserError("Write a user name or an e-mail address.", "who")
    found = list(User.objects.filter(is_active=True, username__iexact=who)[:50])
    exact = [user for user in found if user.get_username() == who]
    if exact or len(found) == 1:
        return (exact or found)[0]
    if "@" in who:
        return None
    raise UserError(
        f"Nobody here has the user name {who}. Check the spelling, or invite them by their e-mail address.", "who"
    )


def _address(who: str) -> str:
    try:
        validate_email(who)
    except ValidationError:
        raise UserError(f"{who} is not a whole e-mail address, such as ann@example.org.", "who") from None
    return who.lower()


def _check_not_inside(environment: Environment, by: User, user: User | None, email: str) -> None:
    own = {by.email.lower(), *addresses_of(by).values_list(Lower("email"), flat=True)} - {""}
    if user == by or email in own:
        raise UserError("That is you. Invite somebody else.", "who")
    if user:
        inside = environment.memberships.filter(user=user)
        again = environment.invitations.filter(user=user)
    else:
        holders = EmailAddress.objects.filter(verified=True, email__iexact=email).values("user")
        inside = environment.memberships.filter(user__in=holders)
        again = environment.invitations.filter(user=None, email=email)
    if inside.exists():
        raise UserError(f"{user or email} is a member already. Change the role in the list of members.", "who")
    if again.filter(pk__in=Invitation.objects.open().values("pk")).exists():
        raise UserError(f"{user or email} is invited already. Send that invitation again, or withdraw it.", "who")


def _check_rate(by: User) -> None:
    """The audit log counts: withdrawing an invitation does not make room for another."""
    most = settings.PM_INVITATIONS_PER_HOUR
    since = timezone.now() - timedelta(hours=1)
    if AuditEntry.objects.filter(actor_id=by.pk, action__in=SENDING, at__gt=since).count() >= most:
        raise UserError(f"You have sent {most} invitations within an hour, as many as one may. Go on later.", "who")


def _told(invitation: Invitation) -> list[int]:
    """Whose list of environments shows the invitation."""
    if invitation.user:
        return [invitation.user.pk]
    found = EmailAddress.objects.filter(verified=True, email__iexact=invitation.email)
    return list(found.values_list("user_id", flat=True))


def _sent(invitation: Invitation, token: str, by: User) -> Sent:
    link = settings.PM_URL + reverse("invitation_link", args=[token])
    return Sent(invitation, link, _mail(invitation, link, by) if invitation.email else None)


def _mail(invitation: Invitation, link: str, by: User) -> bool:
    """Whether the mail server took it; the link can be handed over in any case."""
    name = invitation.environment.name
    context = {"invitation": invitation, "link": link, "by": by, "days": INVITATION_LIFE.days}
    text = render_to_string("invitations/mail.txt", context)
    try:
        send_mail(f"{by} invites you to {name}", text, None, [invitation.email])
    except (SMTPException, OSError) as error:
        log.warning("the mail of an invitation was not sent: %s", error)
        return False
    return True
