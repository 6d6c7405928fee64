"""What can go wrong between the platform and an engine."""

from platform_manager.errors import ProviderError

MESSAGE_CHARACTERS = 500


class EngineError(ProviderError):
    """The engine refused or answered nonsense.

    ``status`` is its HTTP status (0 when it never came to one), ``detail`` its own words, trimmed.
    """

    def __init__(self, message: str, *, status: int = 0, detail: str = "", retryable: bool = False) -> None:
        super().__init__(message, retryable=retryable)
        self.status = status
        self.detail = detail[:MESSAGE_CHARACTERS]


class EngineUnreachable(EngineError):
    """No usable answer: no socket, refused, too late, or cut in the middle. It may have been done."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class EngineAnswerTooLarge(EngineError):
    """The engine sent more than a sane engine would; the rest was not read."""


def refused(status: int, detail: str) -> EngineError:
    """The error for an HTTP status the engine chose; ``detail`` are its own words."""
    words = " ".join(detail.replace("\0", "\ufffd").split())[:MESSAGE_CHARACTERS] or "no reason given"
    message = f"The Docker engine refused with status {status}: {words}"
    return EngineError(message, status=status, detail=words, retryable=status >= 500)
