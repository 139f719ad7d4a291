"""Odds in words: what is said at half-time, and afterwards what that was.

Belongs here: whole parts of sentences, without emphasis. Does not belong here: the chances (``rules.odds``), what
stands around them (``discord``, ``site``).
"""

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.odds import told_share
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.warehouse.predictions import HalfTimeSaid


def share_text(share: float, counted: int) -> str:
    """A share as exactly as so many cases tell it: ``25 %``, ``under 5 %``."""
    told = told_share(share, counted)
    return f"{told.percent} %" if told.beyond is None else f"{told.beyond} {told.percent} %"


def about(share: float, counted: int) -> str:
    """The same to stand in a sentence: ``about 25 %``, ``under 5 %``."""
    text = share_text(share, counted)
    return f"about {text}" if told_share(share, counted).beyond is None else text


def half_time_parts(said: HalfTimeSaid) -> list[str]:
    """What there is to know of the time to beat: par, and how likely it is to be beaten; of too few attacks only how
    many there were."""
    par = [] if said.par is None else [f"par {format_time(said.par)}"]
    if said.chance is None:
        return [*par, f"{said.attacks} attack{'' if said.attacks == 1 else 's'} on this map so far"]
    fast = "make it" if said.to_beat == said.limit_seconds else "are this fast"
    return [*par, f"{about(said.chance, said.attacks)} of attacks {fast} ({said.attacks:,} so far)"]


def odds_of_result(said: HalfTimeSaid | None, winner: Winner | None, attackers_first: Team | None) -> str | None:
    """What was said at half-time of what then happened; None where nothing was."""
    if said is None or said.chance is None or winner is None or attackers_first is None:
        return None
    beaten = str(winner) == str(other_team(attackers_first))
    return about(said.chance if beaten else 1 - said.chance, said.attacks)


def outcome_text(came_true: bool | None) -> str:
    """What came of half-time odds."""
    return "not known" if came_true is None else "beaten" if came_true else "not beaten"
