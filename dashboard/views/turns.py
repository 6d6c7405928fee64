"""Costly answers: of each user only a few at a time, so that nobody takes the processors from everybody else."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase

AT_ONCE = 2
# Who types quickly waits for what was asked before; longer than this waits nobody but who floods.
SECONDS = 15.0
REFUSAL = "Too much that you asked for is still being worked out. Wait a moment, then try again."

_turns = threading.Condition()
_taken: Counter[Any] = Counter()


def by_turns(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """At most :data:`AT_ONCE` of a user in this process; others wait, and get status 429 in the end."""

    @wraps(view)
    def waiting(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with _turn(request.user.pk) as mine:
            if not mine:
                return HttpResponse(REFUSAL, status=429, content_type="text/plain; charset=utf-8")
            return view(request, *args, **kwargs)

    return waiting


@contextmanager
def _turn(who: Any) -> Iterator[bool]:
    """Whether it is theirs."""
    with _turns:
        mine = who is None or _turns.wait_for(lambda: _taken[who] < AT_ONCE, SECONDS)
        if mine:
            _taken[who] += 1
    try:
        yield mine
    finally:
        with _turns:
            if mine:
                _taken[who] -= 1
                if not _taken[who]:
                    del _taken[who]
            _turns.notify_all()
