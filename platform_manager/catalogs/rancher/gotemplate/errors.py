"""Why a template can't be rendered, and how much one may take."""

MAX_OUTPUT = 1024 * 1024
MAX_STEPS = 50_000
MAX_NESTING = 40
MAX_ITEMS = 10_000
MAX_TOKENS = 30_000
MAX_VARIABLES = 500

# So many characters handled by a function count as one step.
STEP_CHARACTERS = 64


class TemplateRefused(Exception):
    """``str(error)`` goes on after "the template can't be read:"; ``line`` is 0 where there is none."""

    def __init__(self, message: str, line: int = 0) -> None:
        # It quotes the template, and is stored where not every character can be.
        shown = "".join(character if character.isprintable() else "\ufffd" for character in message)
        super().__init__(f"line {line}: {shown}" if line else shown)
