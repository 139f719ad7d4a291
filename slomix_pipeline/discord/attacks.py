"""One round in words and as a bar: who attacked, how long it took, how it ended; and by what a match was won.

Does not belong here: the messages these stand in (``messages``, ``session_messages``).
"""

from collections.abc import Mapping

from slomix_pipeline.discord.wording import clock, team_text
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.timing import LengthFrom
from slomix_pipeline.rules.values import attack_succeeded, ended_early, stopwatch_seconds
from slomix_pipeline.warehouse.reading import MatchSeen, RoundSeen

BAR = 12  # characters


def told(seen: RoundSeen, attackers: Team | None, teams: Mapping[str, TeamName]) -> str:
    """One round in words: who attacked, and how it ended."""
    header = seen.header
    who = team_text(teams[attackers]) if attackers else "The attackers"
    succeeded = attack_succeeded(header)
    if succeeded:
        gave_up = ", the defenders gave up" if seen.surrender_side == header.defender_side else ""
        if seen.attack_seconds is None:
            return f"{who} completed it in an unknown time{gave_up}"
        return f"{who} completed it in **{clock(seen.attack_seconds)}**{gave_up}"
    if succeeded is None:
        shown = stopwatch_seconds(header)
        return "the file does not say who won" + ("" if shown is None else f" (clock {clock(shown)})")
    if seen.gave_up:
        return f"{who} gave up after **{clock(seen.duration_seconds)}** of {clock(header.limit_seconds)}"
    if header.limit_seconds is None:
        return f"{who} did not make it"
    lasted = None if seen.duration_source == LengthFrom.LIMIT else seen.duration_seconds
    if seen.gave_up is None and ended_early(lasted, header.limit_seconds):
        return f"{who} did not make it: it ended after **{clock(lasted)}** of {clock(header.limit_seconds)}"
    return f"{who} did not make it in **{clock(header.limit_seconds)}**"


def next_goal(first: RoundSeen) -> str:
    if attack_succeeded(first.header) and first.attack_seconds is None:
        return "Round 2 has to beat its time, which is not known."
    if attack_succeeded(first.header):
        return f"Round 2 has to beat **{clock(first.attack_seconds)}**."
    return "Round 2 wins the map with any completed attack."


def bars(match: MatchSeen) -> list[str]:
    """Both attacks as bars of the same scale, with their times; none when one of those is not known. What is solid was
    played, what is open was left of the limit."""
    lasted = [seconds for seen in match.rounds if (seconds := _lasted(seen))]
    limits = [seen.header.limit_seconds or 0 for seen in match.rounds]
    if len(lasted) < len(limits):
        return []
    scale = max(*lasted, *limits)
    attackers = (match.attackers_first, match.attackers_first and other_team(match.attackers_first))
    lines = []
    for seen, seconds, limit, team in zip(match.rounds, lasted, limits, attackers, strict=False):
        solid = round(BAR * seconds / scale)
        whole = max(solid, round(BAR * limit / scale))
        bar = ("█" * solid + "░" * (whole - solid)).ljust(BAR, "·")
        mark = "✓" if attack_succeeded(seen.header) else "✗"
        who = team_text(match.teams[team]) if team else ""
        lines.append(f"`{bar} {mark} {clock(seconds):>5}` {who}".rstrip())
    return lines


def _lasted(seen: RoundSeen) -> float | None:
    """Seconds of an attack: its time, or how long it was held off; None is unknown."""
    if attack_succeeded(seen.header):
        return seen.attack_seconds
    lasted = None if seen.duration_source == LengthFrom.LIMIT else seen.duration_seconds
    if seen.gave_up or ended_early(lasted, seen.header.limit_seconds):
        return lasted
    return seen.header.limit_seconds


def won_by(match: MatchSeen) -> str:
    """By what a match was won, to be put behind "wins": the difference of the times, or that the others failed; empty
    where the times don't say."""
    if match.first is None or match.second is None or match.winner not in (Winner.A, Winner.B):
        return ""
    if match.source == Source.OVERRIDE or match.attackers_first is None:
        return ""
    ours, theirs = match.first, match.second
    first_won = str(match.winner) == str(match.attackers_first)
    if not first_won:
        ours, theirs = theirs, ours
    if not attack_succeeded(ours.header):
        return ""
    if not attack_succeeded(theirs.header):
        return ": the others gave up" if theirs.gave_up else ": only they made it"
    if ours.attack_seconds is None or theirs.attack_seconds is None:
        return ""
    faster = theirs.attack_seconds - ours.attack_seconds
    if faster > 0:
        return f" by {clock(faster)}"
    return ": as fast, and first" if faster == 0 and first_won else ""
