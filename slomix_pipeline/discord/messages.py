"""What is said: the messages of a match and of a session, in words players read.

Belongs here: wording, order, colours. Facts come as ``warehouse.reading`` gives them; limits are ``embeds``' business.
Does not belong here: sending, and whether something is said at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from slomix_pipeline.discord.embeds import TOTAL_LIMIT, Embed, Field, Message, clip, escape, fields_of_lines, size
from slomix_pipeline.discord.wording import (
    NEUTRAL,
    clock,
    map_text,
    player_text,
    team_text,
    tenth,
    whole,
)
from slomix_pipeline.rules.grades import Grade
from slomix_pipeline.rules.overrides import decided_text
from slomix_pipeline.rules.pairing import HALF_AS_FIRST, PLAYED_AS_FIRST
from slomix_pipeline.rules.score_policies import Points, session_winner
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.team_names import UNNAMED, TeamName
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.timing import LengthFrom
from slomix_pipeline.rules.values import Status, attack_succeeded, ended_early, stopwatch_seconds
from slomix_pipeline.warehouse.overrides import DecisionSeen
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals, RoundSeen, SessionScore, timing_coverage

MOST_REASONS = 3  # of a grade, or decisions, in a summary
MOST_NAMES = 6  # of players without identity
ROUND_1_COLOUR = 0xF1C40F


def round_one_message(match: MatchSeen) -> Message:
    """The short message when round 1 has ended."""
    assert match.first is not None
    embed = Embed(
        title=f"{map_text(match.map_name)} · round 1",
        description="\n".join(
            [
                _told(match.first, match.attackers_first, match.teams),
                _next_goal(match.first),
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


def not_counted_message(match: MatchSeen, number: int) -> Message:
    """What becomes of a message whose round is part of no whole match; a person may have decided it all the same."""
    verdict = _verdict(match)
    embed = Embed(
        title=f"{map_text(match.map_name)} · round {number}",
        description=f"-# {verdict[:1].upper()}{verdict[1:]}: {escape(match.reason)}.",
        color=NEUTRAL,
    )
    return Message(embeds=(embed,))


def result_message(match: MatchSeen) -> Message:
    """The result of a match: both times, the score so far, the players of both teams."""
    assert match.first is not None and match.second is not None
    first, second = match.attackers_first, _opponents(match.attackers_first)
    embed = Embed(
        title=f"{map_text(match.map_name)} · {_verdict(match)}",
        description="\n".join(
            [
                f"Round 1 · {_told(match.first, first, match.teams)}",
                f"Round 2 · {_told(match.second, second, match.teams)}",
                *([] if match.winner else [f"-# Not counted: {escape(match.reason)}"]),
                *([f"-# Not by the files: {escape(match.reason)}"] if match.winner and _by_a_person(match) else []),
                *_put_together(match.second),
                *_left_out(match),
                *_without_identity(match),
                f"**{_score(match)}**",
            ]
        ),
        color=_colour(match.winner, match.teams),
        footer=_footer(match, match.rounds),
        timestamp=match.second.ended_at,
    )
    return Message(embeds=(_with_teams(embed, match.players, match.teams),))


def corrected(message: Message, notice: str | None) -> Message:
    """The message with what was told otherwise before, if it was."""
    if notice is None:
        return message
    (embed,) = message.embeds
    return Message(embeds=(replace(embed, description=f"{embed.description}\n-# Corrected: {escape(notice)}"),))


def session_message(
    session: SessionScore,
    matches: Sequence[MatchSeen],
    players: Sequence[PlayerTotals],
    grade: Grade,
    decisions: Sequence[DecisionSeen] = (),
) -> Message:
    """The summary of a session that is over. ``players``: session totals; ``decisions``: about it."""
    a, b = session.points_a, session.points_b
    counted = session.matches - session.not_counted
    winner = session_winner(Points(a, b), counted, session.without_points)
    teams = matches[0].teams if matches else UNNAMED
    title = f"{_session_verdict(winner, teams)} {max(a, b)}–{min(a, b)}" if winner else _open_session(a, b, counted)
    start, end = int(session.started_at.timestamp()), int(session.ended_at.timestamp())
    rounds = [seen for match in matches for seen in match.rounds]
    left_out = sum(seen.left_out is not None for seen in rounds)
    embed = Embed(
        title=title,
        description="\n".join(
            [
                f"<t:{start}:D> · <t:{start}:t> to <t:{end}:t>",
                f"{session.matches} matches, {session.rounds} rounds{_rest(session.draws, session.not_counted)}",
                *(
                    [
                        f"-# The totals are without the numbers of {left_out} round{'s' if left_out > 1 else ''}: "
                        "their counters hold more than the round"
                    ]
                    if left_out
                    else []
                ),
                f"-# Trust grade **{grade.letter}**{_some(grade.reasons)}",
                *([f"-# Decided by people{_some([_decision(row) for row in decisions])}"] if decisions else []),
            ]
        ),
        color=_colour(winner, teams),
        footer=" · ".join(
            [matches[0].policy if matches else "", f"Lua timing {timing_coverage(rounds)}", session.session_key]
        ),
        timestamp=session.ended_at,
    )
    maps = fields_of_lines("Maps", [_map_line(match) for match in matches], room=2200) if matches else ()
    embed = Embed(embed.title, embed.description, embed.color, maps, embed.footer, embed.timestamp)
    return Message(embeds=(_with_teams(embed, players, teams),))


def _session_verdict(winner: Winner, teams: Mapping[str, TeamName]) -> str:
    return "Draw" if winner == Winner.DRAW else f"{team_text(teams[winner])} wins"


def _open_session(a: int, b: int, counted: int) -> str:
    return f"Open: {a}–{b} so far as points are known" if counted else "No match counts"


def _some(texts: Sequence[str]) -> str:
    """The first of some texts, and how many there are more."""
    shown = "; ".join(escape(clip(text, 160)) for text in texts[:MOST_REASONS])
    more = f" and {len(texts) - MOST_REASONS} more" if len(texts) > MOST_REASONS else ""
    return f": {shown}{more}" if texts else ""


def _decision(row: DecisionSeen) -> str:
    about = " ".join(part for part in (row.kind, row.player or row.map) if part)
    return f"{about}: {decided_text(row.kind, row.value)}, by {row.made_by}: {row.reason}"


def session_pointer(old_key: str, key: str) -> Message:
    """What the summary of a session becomes when late files made it part of another one."""
    text = f"-# {escape(old_key)} turned out to be part of a longer session: {escape(key)}."
    return Message(embeds=(Embed(title="Part of another session", description=text, color=NEUTRAL),))


def _with_teams(embed: Embed, players: Iterable[PlayerTotals], teams: Mapping[str, TeamName]) -> Embed:
    """The embed with a block per team below its fields, within what is left of Discord's limits."""
    blocks: dict[Team | None, list[str]] = {Team.A: [], Team.B: [], None: []}
    for player in players:
        blocks[player.team].append(_player_line(player))
    titles = {Team.A: team_text(teams[Team.A]), Team.B: team_text(teams[Team.B]), None: "Team open"}
    fields: tuple[Field, ...] = embed.fields
    waiting = [team for team in titles if blocks[team]]
    for number, team in enumerate(waiting):
        free = TOTAL_LIMIT - size(Embed(embed.title, embed.description, 0, fields, embed.footer))
        share = free // (len(waiting) - number)
        fields += fields_of_lines(titles[team], blocks[team], more="… and {n} more", room=share, max_fields=6)
    return Embed(embed.title, embed.description, embed.color, fields, embed.footer, embed.timestamp)


def _player_line(player: PlayerTotals) -> str:
    facts = [
        f"{whole(player.kills)}/{whole(player.deaths)}",
        f"{whole(player.dpm)} dpm",
        f"{whole(player.damage_given)}/{whole(player.damage_received)} dmg",
        f"{tenth(player.accuracy)} % acc",
    ]
    return f"**{player_text(player.name)}** · {' · '.join(facts)}"


def _told(seen: RoundSeen, attackers: Team | None, teams: Mapping[str, TeamName]) -> str:
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


def _next_goal(first: RoundSeen) -> str:
    if attack_succeeded(first.header) and first.attack_seconds is None:
        return "Round 2 has to beat its time, which is not known."
    if attack_succeeded(first.header):
        return f"Round 2 has to beat **{clock(first.attack_seconds)}**."
    return "Round 2 wins the map with any completed attack."


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
    draws = _rest(match.draws, 0)
    a, b = team_text(match.teams[Team.A]), team_text(match.teams[Team.B])
    return f"Score so far: {a} {match.score_a} – {match.score_b} {b}{draws}"


def _rest(draws: int, not_counted: int) -> str:
    parts = [f"{draws} draw{'s' if draws > 1 else ''}"] if draws else []
    parts += [f"{not_counted} not counted"] if not_counted else []
    return f" ({', '.join(parts)})" if parts else ""


_WINNERS = {Winner.A: "🔵 A", Winner.B: "🔴 B", Winner.DRAW: "🟡 draw", None: "⚪ not counted"}


def _map_line(match: MatchSeen) -> str:
    winner = _WINNERS[match.winner]
    times = "broken off" if match.status == Status.ABORTED else " / ".join(_short(seen) for seen in match.rounds)
    decided = " · decided by a person" if _by_a_person(match) else ""
    why = decided if match.winner else f" · {escape(match.reason)}"
    return f"{winner} · **{map_text(match.map_name)}** · {times}{why}"


def _short(seen: RoundSeen) -> str:
    succeeded = attack_succeeded(seen.header)
    if succeeded is None:
        return "?"
    if succeeded:
        return "completed" if seen.attack_seconds is None else clock(seen.attack_seconds)
    return f"gave up {clock(seen.duration_seconds)}" if seen.gave_up else "held"


def _by_a_person(match: MatchSeen) -> bool:
    return match.source == Source.OVERRIDE


def _footer(match: MatchSeen, rounds: Sequence[RoundSeen]) -> str:
    by = "a person" if _by_a_person(match) else match.source
    decided = [f"{match.policy}, decided by {by}"] if match.source else []
    return " · ".join([*decided, f"Lua timing {timing_coverage(rounds)}", match.key])


def _colour(winner: Winner | None, teams: Mapping[str, TeamName]) -> int:
    """The winning team's own colour, else that of its letter."""
    if winner is None or winner == Winner.DRAW:
        return NEUTRAL
    return teams[winner].shown_colour


def _opponents(team: Team | None) -> Team | None:
    return None if team is None else other_team(team)
