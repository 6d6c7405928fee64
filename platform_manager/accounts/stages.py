"""Steps of a sign-in where ours differ from allauth's."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from django.http import HttpResponse


class AddressStage(EmailVerificationStage):  # type: ignore[misc]
    """Addresses are confirmed before the first sign-in; an account that an operator made without one has none."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        # None: who registered an address that somebody has; they are answered like everybody, the truth is in the mail.
        if user is not None and not user.email and not EmailAddress.objects.filter(user=user).exists():
            return None, True
        answer: tuple[HttpResponse | None, bool] = super().handle()
        return answer
