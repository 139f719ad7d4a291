"""The base of errors that people can do something about: the command line shows them as one line, without a trace.

Does not belong here: the errors themselves, which live beside what raises them.
"""


class SlomixError(Exception):
    """Something outside the program is not as it should be; the text says what, and what to do about it."""
