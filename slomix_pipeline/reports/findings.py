"""What a command looked at and found, one line each: the answers of ``slomix doctor`` and ``slomix lua status``.

Does not belong here: looking.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SCHEMA = "slomix.doctor/1"


class Found(StrEnum):
    """How what was looked at is, the best first."""

    OK = "ok"
    UNKNOWN = "unknown"  # it could not be looked at, and that is no fault
    WARNING = "warning"  # it works, and somebody should look
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, what there is to say, and what to do about it. ``subject``: what it
    belongs to, beside others."""

    what: str
    status: Found
    text: str
    fix: str = ""
    subject: str = ""

    @property
    def fine(self) -> bool:
        """Whether nothing failed."""
        return self.status is not Found.FAILED

    @property
    def in_words(self) -> str:
        return f"{self.what}: {self.text}" + (f". Fix: {self.fix}" if self.fix else "")


def ok(what: str, text: str) -> Finding:
    return Finding(what, Found.OK, text)


def unknown(what: str, text: str, fix: str = "") -> Finding:
    return Finding(what, Found.UNKNOWN, text, fix)


def warning(what: str, text: str, fix: str = "") -> Finding:
    return Finding(what, Found.WARNING, text, fix)


def failed(what: str, text: str, fix: str = "") -> Finding:
    return Finding(what, Found.FAILED, text, fix)


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """For programs."""
    return {
        "schema": SCHEMA,
        "findings": [{"name": own.what, "status": own.status, "text": own.text, "fix": own.fix} for own in findings],
    }
