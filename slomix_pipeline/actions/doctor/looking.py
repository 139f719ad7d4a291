"""Looking at several things at once, each for no longer than it may take: what does not answer is told, and left.

Belongs here: threads and their ends. Does not belong here: what is looked at (the modules beside).
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.reports.findings import Finding, failed

SECONDS = 20.0  # for all looks together, which are made side by side


@dataclass(frozen=True)
class Look:
    """One thing to look at. ``subject``: what its findings belong to; ``fix``: what to do when it does not answer in
    time."""

    subject: str
    name: str
    find: Callable[[], Iterable[Finding]]
    fix: str = ""


class _Looking:
    """A look in a thread of its own, which nobody waits for at the end of the program."""

    def __init__(self, look: Look, seconds: float, until: float) -> None:
        self._look, self._seconds, self._until = look, seconds, until
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._work, name=f"look at {look.name}", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        look = self._look
        try:
            for finding in look.find():
                self._found.append(finding)
        except (SlomixError, OSError) as error:
            self._found.append(failed(look.name, str(error).strip() or type(error).__name__, look.fix))
        except Exception as error:  # a bug of ours, and no reason to look at nothing else; its text may hold anything
            self._found.append(failed(look.name, f"could not be looked at ({type(error).__name__})", look.fix))

    def ended(self) -> list[Finding]:
        """What was found until the look ended, or its time did."""
        self._thread.join(max(0.0, self._until - time.monotonic()))
        found = list(self._found)
        if self._thread.is_alive():
            rest = " not all of it" if found else ""
            text = f"no answer within {self._seconds:g} s{':' if rest else ''}{rest and rest + ' was looked at'}"
            found.append(failed(self._look.name, text, self._look.fix))
        return [replace(own, text=" ".join(own.text.split()), subject=self._look.subject) for own in found]


def carried_out(looks: Sequence[Look], seconds: float = SECONDS) -> list[Finding]:
    """What all looks found within that time, in their order; they are made side by side."""
    until = time.monotonic() + seconds
    made = [_Looking(look, seconds, until) for look in looks]
    return [finding for looking in made for finding in looking.ended()]
