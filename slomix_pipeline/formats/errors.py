"""The one error of all parsers.

Does not belong here: errors of anything but text that can't be read.
"""


class FormatError(ValueError):
    """The bytes are not a whole file of the format; the text says why, for a person."""
