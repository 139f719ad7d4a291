"""The generations of the game server's stats script: what each leaves out of a file, and what it gets wrong.

Belongs here: the differences to the newest script. What that one makes of a round is in ``serverfiles``.
"""

from dataclasses import dataclass, replace

from slomix_pipeline.formats.gamestats import Header, PlayerLine
from slomix_pipeline.formats.tail import LAYOUTS, NEWEST_LAYOUT

_DEAD_AGAIN = 3  # scripts before the ninth header field count the time dead over and over
_BULLETS_AGAIN = 40  # scripts before 38 tail fields do the same with the shots


@dataclass(frozen=True, slots=True)
class Writer:
    """A stats script, or what a file went through since: CRLF where it passed a Windows machine.

    ``held_time``: what it prints as the time of a second round that was held, instead of the limit: ``0:00`` in
    spring 2025, and times such as ``71:05`` from the autumn on.
    """

    tail_fields: int = NEWEST_LAYOUT
    header_fields: int = 9
    line_end: str = "\n"
    held_time: str | None = None

    def header(self, header: Header, *, held: bool) -> Header:
        """A header as this script prints it."""
        if held and header.number == 2 and self.held_time:
            header = replace(header, attack_time=self.held_time)
        return header if self.header_fields == 9 else replace(header, playtime=None)

    def line(self, line: PlayerLine) -> PlayerLine:
        """A player's line as this script prints it."""
        tail: dict[str, float | None] = dict.fromkeys(line.tail)
        tail |= {name: line.tail[name] for name in LAYOUTS[self.tail_fields]}
        if self.header_fields < 9:
            tail["minutes_dead"] = (line.tail["minutes_dead"] or 0) * _DEAD_AGAIN
        if self.tail_fields < NEWEST_LAYOUT:
            tail["bullets_fired"] = (line.tail["bullets_fired"] or 0) * _BULLETS_AGAIN
        return replace(line, tail=tail)


NEWEST = Writer()
