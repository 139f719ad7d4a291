"""What is said of a session that is over, in words players read.

Does not belong here: the message of a match (``messages``), the players' numbers (``team_blocks``).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from slomix_pipeline.discord.board_messages import fallen_record_text, personal_best_text, reached_lines
from slomix_pipeline.discord.embeds import Embed, Field, Message, block, escape
from slomix_pipeline.discord.messages import by_a_person, colour, coverage_text, rest
from slomix_pipeline.discord.team_blocks import MVP_LEGEND, best_text, team_blocks
from slomix_pipeline.discord.wording import (
    NEUTRAL,
    clock,
    map_text,
    player_text,
    short_text,
    team_text,
    unbroken,
    whole,
)
from slomix_pipeline.reports.expected_words import surprise_text
from slomix_pipeline.rules.awards import Award
from slomix_pipeline.rules.best import Best, most
from slomix_pipeline.rules.grades import Grade
from slomix_pipeline.rules.overrides import decided_text
from slomix_pipeline.rules.score_policies import Points, session_winner
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import UNNAMED, TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.timing import AttackEnd
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse.corrections import Correction
from slomix_pipeline.warehouse.duels import Duel
from slomix_pipeline.warehouse.highlights import NOTHING_SPECIAL, Highlights
from slomix_pipeline.warehouse.overrides import DecisionSeen
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals, RoundSeen, SessionScore
from slomix_pipeline.warehouse.session_awards import SessionAwards
from slomix_pipeline.warehouse.surprises import Surprise

MOST_REASONS = 3  # of a grade, decisions or corrections
LONGEST = 120  # visible characters of one of them


def session_message(
    session: SessionScore,
    matches: Sequence[MatchSeen],
    players: Sequence[PlayerTotals],
    grade: Grade,
    decisions: Sequence[DecisionSeen] = (),
    corrections: Sequence[Correction] = (),
    highlights: Highlights = NOTHING_SPECIAL,
) -> Message:
    """The summary of a session that is over. ``players``: session totals; ``decisions``, ``corrections``: about it."""
    teams = matches[0].teams if matches else UNNAMED
    fields = (
        *result_fields(matches, players),
        *team_blocks(players, teams),
        *award_fields(highlights.awards),
        *duel_fields(highlights.duels),
        *block("Records", [fallen_record_text(record) for record in highlights.records]),
        *block("Personal bests", [personal_best_text(best) for best in highlights.bests]),
        *surprise_fields(highlights.surprise),
        *block("Reached for the first time", reached_lines(highlights.unlocked)),
    )
    head = session_head(session, matches, grade, decisions, corrections, [MVP_LEGEND] if players else [])
    return Message(embeds=(replace(head, fields=fields),))


def session_head(
    session: SessionScore,
    matches: Sequence[MatchSeen],
    grade: Grade,
    decisions: Sequence[DecisionSeen],
    corrections: Sequence[Correction],
    legend: Sequence[str],
    *,
    runs: bool = False,
) -> Embed:
    """What stands above all that is told of a session: the result, and how far it can be believed. ``legend``: lines on
    what stands below; ``runs``: it may go on, so nobody won it."""
    teams = matches[0].teams if matches else UNNAMED
    start, end = int(session.started_at.timestamp()), int(session.ended_at.timestamp())
    rounds = [seen for match in matches for seen in match.rounds]
    left_out = sum(seen.left_out is not None for seen in rounds)
    return Embed(
        title=standing_text(session, teams) if runs else verdict_text(session, teams),
        description="\n".join(
            [
                f"<t:{start}:D> · <t:{start}:t> to <t:{end}:t>",
                f"{session.matches} matches, {session.rounds} rounds{rest(session.draws, session.not_counted)}",
                *(
                    [
                        f"-# The totals are without the numbers of {left_out} round{'s' if left_out > 1 else ''}: "
                        "their counters hold more than the round"
                    ]
                    if left_out
                    else []
                ),
                f"-# Trust grade **{grade.letter}**{_some(grade.reasons)}",
                *([f"-# Decided by people{_some([decision_text(row) for row in decisions])}"] if decisions else []),
                *([f"-# Corrected{_some([row.notice for row in corrections])}"] if corrections else []),
                *(f"-# {line}" for line in legend),
            ]
        ),
        color=colour(None if runs else _won_by_whom(session), teams),
        footer=" · ".join([session.session_key, *([matches[0].policy] if matches else []), coverage_text(rounds)]),
        timestamp=session.ended_at,
    )


def result_fields(matches: Sequence[MatchSeen], players: Sequence[PlayerTotals]) -> tuple[Field, ...]:
    """Who did most, and how each match ended."""
    teams = matches[0].teams if matches else UNNAMED
    maps = block("Maps", [_map_line(match) for match in matches])
    return (*_cards(players, teams, shares_known(matches)), *maps)


def award_fields(awards: SessionAwards) -> tuple[Field, ...]:
    """Who was given which award."""
    return block("Awards", _award_lines(awards))


def duel_fields(duels: Sequence[Duel]) -> tuple[Field, ...]:
    """The duels with most kills."""
    return block("Duels", [_duel_line(duel) for duel in duels])


def surprise_fields(surprise: Surprise | None) -> tuple[Field, ...]:
    """Who was furthest above what was expected of him."""
    if surprise is None:
        return ()
    return block("More than expected", [f"**{player_text(surprise.name)}**: {surprise_text(surprise)}"])


def verdict_text(session: SessionScore, teams: Mapping[str, TeamName]) -> str:
    """Who won a session, and how high: ``sWat (A) wins 4–2``; what is known where that is open."""
    a, b = session.points_a, session.points_b
    winner = _won_by_whom(session)
    if winner is None:
        return _open_session(a, b, session.matches - session.not_counted)
    verdict = "Draw" if winner == Winner.DRAW else f"{team_text(teams[winner])} wins"
    return f"{verdict} {max(a, b)}–{min(a, b)}"


def standing_text(session: SessionScore, teams: Mapping[str, TeamName]) -> str:
    """How a session stands that may go on: ``sWat (A) leads 4–2, so far``."""
    a, b = session.points_a, session.points_b
    match _won_by_whom(session):
        case None:
            return _open_session(a, b, session.matches - session.not_counted)
        case Winner.DRAW:
            return f"Level at {a}–{b}, so far"
        case leads:
            return f"{team_text(teams[leads])} leads {max(a, b)}–{min(a, b)}, so far"


def shares_known(matches: Sequence[MatchSeen]) -> tuple[Team, ...]:
    """The teams of which it can be said who was best: what somebody without identity did is in nobody's share."""
    return () if any(match.without_identity for match in matches) else tuple(Team)


def _won_by_whom(session: SessionScore) -> Winner | None:
    counted = session.matches - session.not_counted
    return session_winner(Points(session.points_a, session.points_b), counted, session.without_points)


def _open_session(a: int, b: int, counted: int) -> str:
    return f"Open: {a}–{b} so far as points are known" if counted else "No match counts"


def _some(texts: Sequence[str]) -> str:
    """The first of some texts, and how many there are more."""
    shown = "; ".join(short_text(text, LONGEST) for text in texts[:MOST_REASONS])
    more = f" and {len(texts) - MOST_REASONS} more" if len(texts) > MOST_REASONS else ""
    return f": {shown}{more}" if texts else ""


def decision_text(row: DecisionSeen) -> str:
    """What somebody decided, about what, and why; not safe in an embed yet."""
    about = " ".join(part for part in (row.kind, row.player or row.map) if part)
    return f"{about}: {decided_text(row.kind, row.value)}, by {row.made_by}: {row.reason}"


def session_pointer(old_key: str, key: str) -> Message:
    """What the summary of a session becomes when late files made it part of another one."""
    text = f"-# {escape(old_key)} turned out to be part of a longer session: {escape(key)}."
    return Message(embeds=(Embed(title="Part of another session", description=text, color=NEUTRAL),))


def _cards(
    players: Sequence[PlayerTotals], teams: Mapping[str, TeamName], teams_best: Iterable[Team]
) -> Iterator[Field]:
    """What people did, side by side: the best of these teams, and who did most of what; of support, too."""
    for team in teams_best:
        if best := best_text([player for player in players if player.team == team]):
            yield Field(f"MVP of {team_text(teams[team])}", best, inline=True)
    cards: dict[Best, Callable[[int], str]] = {
        Best.DAMAGE: lambda value: f"{whole(value)} damage",
        Best.REVIVES: lambda value: f"{whole(value)} revives",
        Best.OBJECTIVES: lambda value: f"{whole(value)} incl. dynamites",
        Best.DENIED: lambda value: f"{clock(value)} denied",
    }
    for what, words in cards.items():
        if found := most(players, what):
            names = " and ".join(f"**{player_text(player.name)}**" for player in found.players)
            yield Field(what.value, f"{names}\n{words(found.value)}", inline=True)


def _award_lines(told: SessionAwards) -> list[str]:
    """A line for each award: who was given it most often, and how often."""
    if not told.awards:
        return []
    missing = f", known of {told.rounds} of {told.of_rounds} rounds" if told.rounds < told.of_rounds else ""
    return [f"-# who was given each most often{missing}", *map(_award_line, told.awards)]


def _award_line(award: Award) -> str:
    names = " and ".join(f"**{player_text(name)}**" for name in award.names)
    return f"{escape(award.title)} · {names}{unbroken(f' {award.times}×')}"


def _duel_line(duel: Duel) -> str:
    return f"**{player_text(duel.player)}** {duel.kills} – {duel.deaths} **{player_text(duel.opponent)}**"


def _map_line(match: MatchSeen) -> str:
    winner = _map_winner(match)
    times = "broken off" if match.status == Status.ABORTED else " / ".join(_short(seen) for seen in match.rounds)
    decided = " · decided by a person" if by_a_person(match) else ""
    why = decided if match.winner else f" · {short_text(match.reason, LONGEST)}"
    return f"{winner} · **{map_text(match.map_name)}** · {times}{why}"


def _map_winner(match: MatchSeen) -> str:
    """Who won, by name: teams may have any colours, so no mark could stand for one."""
    match match.winner:
        case Winner.A | Winner.B:
            return f"🏆 {team_text(match.teams[match.winner])}"
        case Winner.DRAW:
            return "🟡 draw"
    return "⚪ not counted"


def _short(seen: RoundSeen) -> str:
    match seen.attack_end:
        case AttackEnd.COMPLETED:
            return seen.attack_end if seen.attack_seconds is None else clock(seen.attack_seconds)
        case AttackEnd.GAVE_UP | AttackEnd.ENDED:
            return f"{seen.attack_end} {clock(seen.lasted)}"
    return seen.attack_end
