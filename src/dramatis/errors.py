"""The one error that users see."""


class UserError(ValueError):
    """A fault that the user can mend: one sentence naming the input, the fault and the remedy. Exit code 2."""
