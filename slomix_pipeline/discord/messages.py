"""What is said of a match, in words players read.

Belongs here: wording, order, colours. Facts come as ``warehouse.reading`` gives them; limits are ``embeds``' business.
Does not belong here: one round in words (``attacks``), the players' numbers (``team_blocks``), sending, and whether
something is said at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from slomix_pipeline.discord.attacks import bars, next_goal, told, won_by
from slomix_pipeline.discord.embeds import Embed, Message, escape
from slomix_pipeline.discord.team_blocks import LEGEND, MVP_LEGEND, best_text, team_blocks
from slomix_pipeline.discord.wording import NEUTRAL, clock, map_text, player_text, short_text, team_text, unbroken
from slomix_pipeline.reports.odds_words import odds_of_result
from slomix_pipeline.rules.pairing import HALF_AS_FIRST, PLAYED_AS_FIRST
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.warehouse.reading import MatchSeen, RoundSeen, timing_coverage

MOST_NAMES = 6  # of players without identity
MOST_CHANGES = 3  # of a team, in a match
LONGEST_REASON = 200  # visible characters of a sentence
ROUND_1_COLOUR = 0xF1C40F
_STAR = "⭐"

DECIDED_BY = {
    Source.HEADER: "who won each round",
    Source.TIME: "the times of both attacks",
    Source.OVERRIDE: "a person",
}


def round_one_message(match: MatchSeen) -> Message:
    """The short message when round 1 has ended."""
    assert match.first is not None
    embed = Embed(
        title=f"{map_text(match.map_name)} · round 1",
        description="\n".join(
            [
                told(match.first, match.attackers_first, match.teams),
                next_goal(match.first, match.half_time),
                *_half_of_another(match.first),
                f"-# {_score(match)}",
            ]
        ),
        color=ROUND_1_COLOUR,
        footer=_footer(match, [match.first]),
        timestamp=match.first.ended_at,
    )
    return Message(embeds=(embed,))


def round_one_pointer(match: MatchSeen) -> Message:
    """What the round-1 message shrinks to when the result has a message of its own."""
    embed = Embed(
        title=f"{map_text(match.map_name)} · round 1",
        description=f"-# Played to the end: {_verdict(match)}. The result stands below.",
        color=NEUTRAL,
    )
    return Message(embeds=(embed,))


def not_counted_message(match: MatchSeen, number: int, changed: str | None = None) -> Message:
    """What becomes of a message whose round is part of no whole match; a person may have decided it all the same.
    ``changed``: since a result was told of it first."""
    verdict = _verdict(match)
    why = "" if match.reason in (changed or "") else f": {escape(match.reason)}"
    embed = Embed(
        title=f"{map_text(match.map_name)} · round {number}",
        description="\n".join([f"-# {verdict[:1].upper()}{verdict[1:]}{why}.", *_corrected(changed)]),
        color=NEUTRAL,
    )
    return Message(embeds=(embed,))


def result_message(match: MatchSeen, changed: str | None = None) -> Message:
    """The result of a match: who won and by what, both attacks, what stands out, the score so far, the players.
    ``changed``: since it was told first."""
    assert match.first is not None and match.second is not None
    stands_out = _stands_out(match)
    legend = MVP_LEGEND if any(line.startswith(_STAR) for line in stands_out) else LEGEND
    first, second = match.attackers_first, match.attackers_first and other_team(match.attackers_first)
    embed = Embed(
        title=f"{map_text(match.map_name)} · {_verdict(match)}{won_by(match)}",
        description="\n".join(
            [
                *bars(match),
                f"Round 1 · {told(match.first, first, match.teams)}",
                f"Round 2 · {told(match.second, second, match.teams)}",
                f"**{_score(match)}**",
                *stands_out,
                *_foretold(match),
                *_why(match, changed),
                *_corrected(changed),
                *_put_together(match.second),
                *_left_out(match),
                *_without_identity(match),
                *(f"-# {short_text(text, LONGEST_REASON)}" for text in match.substitutions[:MOST_CHANGES]),
                *([] if any(seen.record_key for seen in match.rounds) else ["-# No Lua timing of this match"]),
                *([f"-# {legend}"] if match.players else []),
            ]
        ),
        color=colour(match.winner, match.teams),
        footer=_footer(match, match.rounds),
        timestamp=match.second.ended_at,
    )
    return Message(embeds=(replace(embed, fields=tuple(team_blocks(match.players, match.teams))),))


def _stands_out(match: MatchSeen) -> list[str]:
    """The one thing to know beside the result, if there is one: a record, a comeback, else who did most."""
    if match.record:
        seconds, before = match.record.seconds, match.record.best_before
        who = team_text(match.teams[match.record.team])
        return [f"⚡ The fastest attack on this map so far, by {who}: **{clock(seconds)}**, before {clock(before)}"]
    if match.caught_up_from and match.winner in (Winner.A, Winner.B):
        a, b = match.caught_up_from
        ours, theirs = (a, b) if match.winner == Winner.A else (b, a)
        return [f"💪 {team_text(match.teams[match.winner])} came back from {ours}–{theirs}"]
    if match.without_identity:  # what they did is in nobody's share
        return []
    best = [
        f"{team_text(match.teams[team])}: {text}"
        for team in Team
        if (text := best_text([player for player in match.players if player.team == team]))
    ]
    return [f"{_STAR} MVP of {text}" for text in best]


def _foretold(match: MatchSeen) -> list[str]:
    """A line for what was said at half-time of what then happened, where that counts."""
    odds = odds_of_result(match)
    return [] if odds is None else [f"-# Half-time odds of this: {odds}"]


def _why(match: MatchSeen, changed: str | None) -> list[str]:
    """A line for why a match does not count, or has another winner than by the files; none where what ``changed``
    says it already."""
    if (match.winner and not by_a_person(match)) or match.reason in (changed or ""):
        return []
    how = "Not by the files" if match.winner else "Not counted"
    return [f"-# {how}: {short_text(match.reason, LONGEST_REASON)}"]


def _corrected(changed: str | None) -> list[str]:
    """A line for what was told otherwise before, if it was."""
    return [] if changed is None else [f"-# Corrected: {short_text(changed, LONGEST_REASON)}"]


def _half_of_another(seen: RoundSeen) -> list[str]:
    """A line for a round 1 that may be half of one match with another."""
    return [f"-# {escape(seen.reason)}"] if HALF_AS_FIRST in seen.flags and seen.reason else []


def _put_together(second: RoundSeen) -> list[str]:
    """A line for a round that is the round 2 of its match by a decision."""
    return [f"-# Played as a round 1: {escape(second.reason or '')}"] if PLAYED_AS_FIRST in second.flags else []


def _left_out(match: MatchSeen) -> list[str]:
    """A line for every round of the match whose numbers are in no total."""
    return [
        f"-# Without the numbers of round {number}: {escape(seen.left_out)}"
        for number, seen in ((1, match.first), (2, match.second))
        if seen and seen.left_out
    ]


def _without_identity(match: MatchSeen) -> list[str]:
    """A line for who can't be told over rounds."""
    if not match.without_identity:
        return []
    shown = ", ".join(map(player_text, match.without_identity[:MOST_NAMES]))
    more = f" and {len(match.without_identity) - MOST_NAMES} more" if len(match.without_identity) > MOST_NAMES else ""
    return [f"-# Without a GUID of their own, so in no team and in no total: {shown}{more}"]


def _verdict(match: MatchSeen) -> str:
    if match.winner == Winner.DRAW:
        return "draw"
    return f"{team_text(match.teams[match.winner])} wins" if match.winner else "not counted"


def _score(match: MatchSeen) -> str:
    a, b = team_text(match.teams[Team.A]), team_text(match.teams[Team.B])
    known = ", as far as points are known" if match.without_points else ""
    return f"Score so far: {a} {match.score_a} – {match.score_b} {b}{rest(match.draws, 0)}{known}"


def rest(draws: int, not_counted: int) -> str:
    """What the score does not show, in brackets; empty when there is nothing."""
    parts = [f"{draws} draw{'s' if draws > 1 else ''}"] if draws else []
    parts += [f"{not_counted} not counted"] if not_counted else []
    return f" ({', '.join(parts)})" if parts else ""


def by_a_person(match: MatchSeen) -> bool:
    """Whether a person decided who won."""
    return match.source == Source.OVERRIDE


def _footer(match: MatchSeen, rounds: Sequence[RoundSeen]) -> str:
    """The key leads, which people copy: there it is parted by no end of a line that could hold it."""
    decided = [f"decided by {DECIDED_BY[match.source]}", match.policy] if match.source else []
    return " · ".join([match.key, *decided, coverage_text(rounds)])


def coverage_text(rounds: Sequence[RoundSeen]) -> str:
    """Of how many rounds there is Lua timing."""
    return unbroken(f"Lua timing {timing_coverage(rounds)}")


def colour(winner: Winner | None, teams: Mapping[str, TeamName]) -> int:
    """The winning team's own colour, else that of its letter."""
    if winner is None or winner == Winner.DRAW:
        return NEUTRAL
    return teams[winner].shown_colour
