"""The one error of all parsers."""


class FormatError(ValueError):
    """The bytes are not a whole file of the format; the text says why, for a person."""
