"""Addresses that are themselves secrets, such as the one of an invitation, lose their secret part in logs."""

from __future__ import annotations

import logging
import re

SECRET_PATHS = re.compile(r"(/(?:join|invitations|accounts/password/reset/key|accounts/confirm-email)/)[^/\s?]+")


def without_tokens(text: str) -> str:
    # A function, not a pattern: for a pattern Python imports a module, which it no longer can while it ends.
    return SECRET_PATHS.sub(lambda found: found[1] + "***", text)


class WithoutTokens(logging.Filter):
    """For loggers that write paths of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(without_tokens(word) if isinstance(word, str) else word for word in record.args)
        record.msg = without_tokens(record.msg) if isinstance(record.msg, str) else record.msg
        return True
