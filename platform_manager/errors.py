"""What can go wrong, in words for a person.

Every expected failure is a :class:`PlatformError`. Its message is shown to people as it stands: it says what
happened and what to do, and never holds a trace, a secret or a raw answer of more than a few hundred characters.
"""

import os


class PlatformError(Exception):
    """Base of all expected failures; ``str(error)`` is a sentence for a person."""


def cannot_listen(address: str, error: OSError, setting: str) -> PlatformError:
    """``setting`` says where another address is chosen."""
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
    return PlatformError(f"Can't listen at {address}: {why}. Stop what uses it, or choose another with {setting}.")


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
