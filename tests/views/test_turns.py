"""One user's costly answers wait for each other, and for nobody else's."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from dashboard.views import turns
from tests import factories
from tests.support.lab import until


class Asked:
    """A view that answers when it is told to; who asked it, and with which status each got an answer."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun: list[str] = []
        self.ended: list[int] = []
        self.view = turns.by_turns(self._answer)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        self.begun.append(str(request.user.pk))
        assert self.go_on.wait(20)
        return HttpResponse()

    def by(self, who: str) -> None:
        request = RequestFactory().get("/")
        request.user = User(pk=who)
        threading.Thread(target=lambda: self.ended.append(self.view(request).status_code), daemon=True).start()


def test_who_asks_for_much_waits_and_others_do_not() -> None:
    asked = Asked()
    for _ in range(3):
        asked.by("1")
    until(lambda: len(asked.begun) == turns.AT_ONCE, what="the first two began")
    asked.by("2")
    until(lambda: "2" in asked.begun, what="another one's began at once")
    assert asked.begun.count("1") == turns.AT_ONCE
    asked.go_on.set()
    until(lambda: asked.ended == [200] * 4, what="all had their turn")
    assert not turns._taken


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SECONDS", 0.05)
    asked = Asked()
    for _ in range(3):
        asked.by("1")
    until(lambda: asked.ended == [429], what="one is refused")
    asked.go_on.set()
    until(lambda: sorted(asked.ended) == [200, 200, 429], what="the others had their turn")


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["stack_deploy", "stack_preview", "stack_plan"])
def test_what_is_typed_into_the_form_stands_in_no_report_of_an_error(client: Client, anna: User, page: str) -> None:
    shop = factories.environment(anna, "Shop")
    answer = client.post(reverse(page, args=[shop.pk]), {"name": "web", "answer.PASSWORD": "word"})
    assert answer.wsgi_request.sensitive_post_parameters == "__ALL__"  # type: ignore[attr-defined]
