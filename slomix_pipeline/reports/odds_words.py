"""Odds in words: what is said at half-time, and afterwards what that was.

Belongs here: whole parts of sentences, without emphasis. Does not belong here: the chances (``rules.odds``), what
stands around them (``discord``, ``site``).
"""

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.odds import told_share
from slomix_pipeline.rules.scoring import Source
from slomix_pipeline.rules.teams import other_team
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse.predictions import HalfTimeSaid
from slomix_pipeline.warehouse.reading import MatchSeen


def share_text(share: float, counted: int) -> str:
    """A share as exactly as so many cases tell it: ``25 %``, ``under 5 %``."""
    told = told_share(share, counted)
    return f"{told.percent} %" if told.beyond is None else f"{told.beyond} {told.percent} %"


def about(share: float, counted: int) -> str:
    """The same to stand in a sentence: ``about 25 %``, ``under 5 %``."""
    text = share_text(share, counted)
    return f"about {text}" if told_share(share, counted).beyond is None else text


def half_time_parts(said: HalfTimeSaid, when: str = "so far") -> list[str]:
    """What there is to know of the time to beat: par, with the attacks that it is of where these are others (it is of
    this limit alone), and how likely it is to be beaten; of too few attacks only how many there were. ``when`` that
    was."""
    of_others = "" if said.par_attacks in (None, said.attacks) else f" (of {said.par_attacks:,})"
    par = [] if said.par is None else [f"par {format_time(said.par)}{of_others}"]
    if said.chance is None:
        return [*par, "too few attacks for odds"] if par else [f"{_attacks(said)} on this map {when}"]
    fast = "make it" if said.to_beat == said.limit_seconds else "are this fast"
    return [*par, f"{about(said.chance, said.attacks)} of attacks {fast} ({said.attacks:,} {when})"]


def half_time_text(said: HalfTimeSaid) -> str:
    """The same afterwards, with the time that it was said of: ``to beat 3:51 · about 35 % of attacks are this fast (48
    by then)``."""
    held = said.to_beat == said.limit_seconds
    goal = f"to make it in {format_time(said.to_beat)}" if held else f"to beat {format_time(said.to_beat)}"
    return " · ".join([goal, *half_time_parts(said, "by then")])


def odds_of_result(match: MatchSeen) -> str | None:
    """What was said at half-time of what then happened; None where nothing was that is held against it."""
    said, beaten = match.half_time, second_attack_won(match)
    if said is None or said.chance is None or beaten is None:
        return None
    return about(said.chance if beaten else 1 - said.chance, said.attacks)


def second_attack_won(match: MatchSeen) -> bool | None:
    """Whether it did, where what was said of it is held against that: as the view ``prediction_scored`` has it, so not
    where a person decided or headers and times name different winners; None elsewhere."""
    if match.winner is None or match.attackers_first is None or match.disputed:
        return None
    if match.status is not Status.COMPLETE or match.source not in (Source.HEADER, Source.TIME):
        return None
    return str(match.winner) == str(other_team(match.attackers_first))


def outcome_text(came_true: bool | None, *, late: bool) -> str:
    """What came of half-time odds. ``late``: they were made when it had come."""
    if late:
        return "late, not counted"
    return "not known" if came_true is None else "beaten" if came_true else "not beaten"


def _attacks(said: HalfTimeSaid) -> str:
    return f"{said.attacks:,} attack{'' if said.attacks == 1 else 's'}"
