"""Addresses that are themselves secrets, such as the one of an invitation, lose their secret part in logs."""

from __future__ import annotations

import logging
import re

SECRET_PATHS = re.compile(r"(/(?:join|invitations|accounts/password/reset/key|accounts/confirm-email)/)[^/\s?]+")
# Values of a query: of catalogs they may be tokens. What follows a "%" is a place for one.
QUERIES = re.compile(r"([?&][^\s=&?#\"']{1,100}=)[^\s&#\"'%][^\s&#\"']*")


def without_tokens(text: str) -> str:
    # A function, not a pattern: for a pattern Python imports a module, which it no longer can while it ends.
    for pattern in (SECRET_PATHS, QUERIES):
        text = pattern.sub(lambda found: found[1] + "***", text)
    return text


class WithoutTokens(logging.Filter):
    """For loggers that write paths of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(without_tokens(word) if isinstance(word, str) else word for word in record.args)
        record.msg = without_tokens(record.msg) if isinstance(record.msg, str) else record.msg
        return True
