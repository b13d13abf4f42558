"""What can go wrong in the application, by who has to act."""


class ShoalError(Exception):
    """Root of this package's errors; the text is one sentence with the remedy."""


class SettingsError(ShoalError):
    """A setting has a value that makes no sense (the operator corrects it: exit 2)."""


class WrongUse(ShoalError):
    """The command was asked for something that does not exist (the caller corrects it: exit 2)."""


class ChecksFailed(ShoalError):
    """A check found differences, and has listed them (exit 1)."""


class ProcessFailed(ShoalError):
    """A process that this one had started ended by itself; it has said why.

    Attributes:
        code: its exit code, handed on.
    """

    def __init__(self, name: str, code: int) -> None:
        """Name the process and keep its exit code."""
        super().__init__(f"the {name} ended with exit code {code}")
        self.code = code
