"""What can go wrong, in words for a person.

Every expected failure is a :class:`PlatformError`. Its message is shown to people as it stands: it says what
happened and what to do, and never holds a trace, a secret or a raw answer of more than a few hundred characters.
"""


class PlatformError(Exception):
    """Base of all expected failures; ``str(error)`` is a sentence for a person."""


class UserError(PlatformError):
    """Somebody asked for what cannot be done; ``field`` names the input to mend ("" when there is none)."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ProviderError(PlatformError):
    """A system we depend on (engine, cloud, registry) failed; ``retryable`` when the same call may pass later."""

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable
