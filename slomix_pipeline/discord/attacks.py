"""One round in words and as a bar: who attacked, how long it took, how it ended; and by what a match was won.

Does not belong here: the messages these stand in (``messages``, ``session_messages``).
"""

from collections.abc import Mapping

from slomix_pipeline.discord.wording import clock, team_text, unbroken
from slomix_pipeline.reports.odds_words import half_time_parts
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.timing import AttackEnd
from slomix_pipeline.rules.values import stopwatch_seconds
from slomix_pipeline.warehouse.predictions import HalfTimeSaid
from slomix_pipeline.warehouse.reading import MatchSeen, RoundSeen

BAR = 12  # characters


def told(seen: RoundSeen, attackers: Team | None, teams: Mapping[str, TeamName]) -> str:
    """One round in words: who attacked, and how it ended."""
    header = seen.header
    who = team_text(teams[attackers]) if attackers else "The attackers"
    limit = clock(header.limit_seconds)
    match seen.attack_end:
        case AttackEnd.UNKNOWN:
            shown = stopwatch_seconds(header)
            return "the file does not say who won" + ("" if shown is None else f" (clock {clock(shown)})")
        case AttackEnd.COMPLETED:
            gave_up = ", the defenders gave up" if seen.surrender_side == header.defender_side else ""
            time = "an unknown time" if seen.attack_seconds is None else f"**{clock(seen.attack_seconds)}**"
            return f"{who} completed it in {time}{gave_up}"
        case AttackEnd.GAVE_UP:
            return f"{who} gave up after {unbroken(f'**{clock(seen.duration_seconds)}** of {limit}')}"
        case AttackEnd.ENDED:
            return f"{who} did not make it: it ended after {unbroken(f'**{clock(seen.lasted)}** of {limit}')}"
    return f"{who} did not make it" + ("" if header.limit_seconds is None else f" in **{limit}**")


def next_goal(first: RoundSeen, said: HalfTimeSaid | None = None) -> str:
    """What round 2 has to do, and what was ``said`` of how likely that is."""
    if first.attack_end is AttackEnd.COMPLETED and first.attack_seconds is None:
        return "Round 2 has to beat its time, which is not known."
    goal = "Round 2 wins the map with any completed attack"
    if first.attack_end is AttackEnd.COMPLETED:
        goal = f"Round 2 has to beat **{clock(first.attack_seconds)}**"
    return f"{goal}." if said is None else " · ".join([goal, *half_time_parts(said)])


def bars(match: MatchSeen) -> list[str]:
    """Both attacks as bars of the same scale, with their times; none when one of those is not known. What is solid was
    played, what is open was left of the limit."""
    lasted = [seconds for seen in match.rounds if (seconds := seen.attack_lasted)]
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
        mark = "✓" if seen.attack_end is AttackEnd.COMPLETED else "✗"
        who = team_text(match.teams[team]) if team else ""
        lines.append(f"`{bar} {mark} {clock(seconds):>5}` {who}".rstrip())
    return lines


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
    if ours.surrender_side is not None and ours.surrender_side == ours.header.defender_side:
        return ": the others gave up"
    if ours.attack_end is not AttackEnd.COMPLETED or theirs.attack_end is AttackEnd.UNKNOWN:
        return ""
    if theirs.attack_end is not AttackEnd.COMPLETED:
        return ": the others gave up" if theirs.attack_end is AttackEnd.GAVE_UP else ": only they made it"
    if ours.attack_seconds is None or theirs.attack_seconds is None:
        return ""
    faster = theirs.attack_seconds - ours.attack_seconds
    if faster > 0:
        return f" by {clock(faster)}"
    return ": as fast, and first" if faster == 0 and first_won else ""
