"""What a command looked at and found, one line each: the answers of ``slomix doctor`` and ``slomix lua status``.

Does not belong here: looking.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is fine, and what there is to say."""

    what: str
    fine: bool
    text: str
