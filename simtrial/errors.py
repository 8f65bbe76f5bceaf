"""The one error that is the user's to mend."""


class InputError(ValueError):
    """An input that cannot be used, told in one line.

    Parameters
    ----------
    message : str
        What is wrong and what would be right, without the name of the field.
    field : str, optional
        The field at fault, in the words of whoever supplied it (``p0``, ``trial.design.looks``).
    """

    def __init__(self, message: str, field: str = "") -> None:
        self.message = message
        self.field = field
        super().__init__(f"{field} {message}" if field else message)
