"""A session: who won last night, by what, and can I believe it?

Does not belong here: one match (``match``), what the summary says on Discord (``discord.session_messages``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix_pipeline.reports.balance_words import fairness_text
from slomix_pipeline.rules.best import Best, best_of, most, next_best
from slomix_pipeline.rules.grades import Grade
from slomix_pipeline.rules.overrides import decided_text
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team, flag_text
from slomix_pipeline.site.answers import Asked, Link, Moved, NotHere
from slomix_pipeline.site.meant import nothing_near
from slomix_pipeline.site.pages.duel_tables import DuelTable, duel_table
from slomix_pipeline.site.pages.held import HeldTable, held_table
from slomix_pipeline.site.pages.shared import (
    TOTALS,
    MatchLine,
    is_running,
    match_lines,
    score_text,
    winner_of,
)
from slomix_pipeline.site.pages.team_tables import COLUMNS, Armed, TeamTable, armed, team_tables, unknown_columns
from slomix_pipeline.site.sorting import Head, heads, order_asked
from slomix_pipeline.site.templating import clock_text, url_of
from slomix_pipeline.warehouse import reading, site_reading
from slomix_pipeline.warehouse.duels import Duel, duels_of, hardest
from slomix_pipeline.warehouse.expectations import held_of_session
from slomix_pipeline.warehouse.fairness import expected_of_teams
from slomix_pipeline.warehouse.own_usual import own_usual
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals, timing_coverage
from slomix_pipeline.warehouse.session_awards import SessionAwards, awards_of
from slomix_pipeline.warehouse.session_evidence import SessionEvidence, session_evidence
from slomix_pipeline.warehouse.session_rounds import RoundOfSession, quarantined_within, session_rounds
from slomix_pipeline.warehouse.site_reading import PictureListed
from slomix_pipeline.warehouse.site_store import Moment
from slomix_pipeline.warehouse.team_totals import team_totals, weapons_used


@dataclass(frozen=True)
class Card:
    """Who did most of something. ``value``: how much, in words; ``following``: who comes next, where that is told."""

    what: str
    players: tuple[PlayerTotals, ...]
    value: str
    following: PlayerTotals | None = None


@dataclass(frozen=True)
class RoundHead:
    """A round as the column of a table."""

    url: str
    label: str


@dataclass(frozen=True)
class RoundByRound:
    """A player's damage per minute in each round; None: he was not there, or it is unknown."""

    guid: str
    name: str
    dpm: tuple[float | None, ...]


@dataclass(frozen=True)
class SessionPage:
    """``title``: the score; ``running``: it may go on, so nobody has won yet; ``winner``: None for a draw or while it
    is open; ``fairness``: how even the teams were expected to be; ``why``: per match what the result rests on;
    ``unknown``: columns in which a number is; ``pictures``: without the first, which says the same as the heading;
    ``not_valid``: rounds whose numbers count nowhere, and why."""

    key: str
    title: str
    running: bool
    winner: TeamName | None
    drawn: bool
    started_at: datetime
    ended_at: datetime
    policy: str | None
    matches_played: int
    not_counted: int
    draws: int
    without_points: int
    timing: str
    grade: Grade
    matches: tuple[MatchLine, ...]
    fairness: str | None
    best: tuple[Card, ...]
    hardest: Sequence[Duel]
    teams: tuple[TeamTable, ...]
    columns: tuple[tuple[str, str, str, int], ...]
    heads: tuple[Head, ...]
    unknown: tuple[str, ...]
    held: HeldTable
    awards: SessionAwards
    duels: DuelTable
    armed: tuple[Armed, ...]
    round_heads: tuple[RoundHead, ...]
    rounds: tuple[RoundByRound, ...]
    left_out: int
    not_valid: tuple[tuple[Link, str], ...]
    pictures: tuple[PictureListed, ...]
    has_card: bool
    why: tuple[tuple[str, str, str], ...]
    about_teams: tuple[str, ...]
    decisions: tuple[str, ...]
    corrections: tuple[str, ...]
    lost_files: tuple[tuple[str, str], ...]
    before: str | None
    after: str | None


def latest(moment: Moment, asked: Asked) -> bytes:
    """Leads to the newest session."""
    key = reading.resolve_session(moment.conn, "latest")
    if key is None:
        raise NotHere("Nothing was played yet.")
    raise Moved(url_of("sessions", key), for_good=False)


def session_page(moment: Moment, asked: Asked) -> SessionPage:
    """The session of a key. ``?sort=``: its players by this column."""
    conn, wanted = moment.conn, asked.given["key"]
    key = reading.resolve_session(conn, wanted)
    if key is None:
        raise nothing_near(moment, "session", wanted)
    if key != wanted:
        raise Moved(url_of("sessions", key))
    order = order_asked(asked, COLUMNS)
    evidence = session_evidence(conn, key)
    matches = reading.matches(conn, [key], records=False, players_of=())
    players = reading.session_players(conn, key)
    rounds, duels = session_rounds(conn, key), duels_of(conn, key)
    seen = [one for match in matches for one in match.rounds]
    session, winner = evidence.session, winner_of(evidence.session)
    pictures = site_reading.pictures(conn, key)
    expected = expected_of_teams(conn, key)
    running = is_running(moment, asked, session.ended_at)
    before, after = _neighbours(moment, key)
    round_heads, by_round = _round_by_round(rounds, players)
    return SessionPage(
        key=key,
        title=score_text(session, evidence.names),
        running=running,
        winner=evidence.names[Team(winner)] if winner in (Winner.A, Winner.B) else None,
        drawn=winner == Winner.DRAW,
        started_at=session.started_at,
        ended_at=session.ended_at,
        policy=session.policy,
        matches_played=session.matches,
        not_counted=session.not_counted,
        draws=session.draws,
        without_points=session.without_points,
        timing=timing_coverage(seen),
        grade=evidence.grade,
        matches=match_lines(matches),
        fairness=fairness_text(expected, session, running=running) if expected else None,
        best=_cards(players, evidence.names, matches),
        hardest=hardest(duels.met),
        teams=team_tables(players, evidence.names, team_totals(conn, "session", key), own_usual(conn, key), order),
        columns=TOTALS,
        heads=heads(COLUMNS, order, url_of("sessions", key)),
        unknown=unknown_columns(players),
        held=held_table(held_of_session(conn, key), "session"),
        awards=awards_of(conn, key),
        duels=duel_table(duels, players),
        armed=armed(weapons_used(conn, "session", key), players),
        round_heads=round_heads,
        rounds=by_round,
        left_out=sum(one.left_out is not None for one in seen),
        not_valid=tuple(
            (Link(url_of("rounds", one.round_key), f"{one.map} {one.number}"), one.invalid_reason or "")
            for one in rounds
            if not one.valid
        ),
        pictures=tuple(pictures[1:]),
        has_card=bool(pictures) and pictures[0].of_present,
        why=tuple(
            (f"{match.position}. {match.map}", match.reason, (match.confidence or "no result").replace("_", " "))
            for match in evidence.matches
        ),
        about_teams=_about_teams(evidence),
        decisions=tuple(
            f"{row.kind} {row.player or row.map or ''}: {decided_text(row.kind, row.value)}: {row.reason}"
            for row in evidence.decisions
        ),
        corrections=tuple(f"{row.notice} ({row.cause})" for row in evidence.corrections),
        lost_files=tuple((lost.round_key, lost.reason or "") for lost in quarantined_within(conn, key)),
        before=before,
        after=after,
    )


def _neighbours(moment: Moment, key: str) -> tuple[str | None, str | None]:
    """The addresses of the sessions before and after one."""
    before = next(iter(site_reading.newest_sessions(moment.conn, 1, before=key)), None)
    after = site_reading.session_after(moment.conn, key)
    return before and url_of("sessions", before), after and url_of("sessions", after)


def _cards(
    players: Sequence[PlayerTotals], names: Mapping[str, TeamName], matches: Sequence[MatchSeen]
) -> tuple[Card, ...]:
    """The best of each team, and who did most of what; support, too. What somebody without identity did is in nobody's
    share: then nobody is called the best."""
    cards = []
    if not any(match.without_identity for match in matches):
        for team in Team:
            own = [player for player in players if player.team == team]
            if best := best_of(own):
                impact = f"impact {best[0].impact:.2f}"
                cards.append(Card(f"MVP of {names[team].shown}", best, impact, next_best(own)))
    for what, unit in (
        (Best.DAMAGE, "damage"),
        (Best.REVIVES, "revives"),
        (Best.OBJECTIVES, "objectives and dynamites"),
        (Best.DENIED, "denied"),
    ):
        if found := most(players, what):
            value = clock_text(found.value) if what is Best.DENIED else str(found.value)
            cards.append(Card(what.value, found.players, f"{value} {unit}"))
    return tuple(cards)


def _round_by_round(
    rounds: Sequence[RoundOfSession], players: Sequence[PlayerTotals]
) -> tuple[tuple[RoundHead, ...], tuple[RoundByRound, ...]]:
    """Every player's damage per minute in each round, as a way to the round."""
    dpm = {round_.round_key: {player.guid: player.dpm for player in round_.players} for round_ in rounds}
    columns = tuple(RoundHead(url_of("rounds", round_.round_key), f"{round_.map} {round_.number}") for round_ in rounds)
    rows = tuple(
        RoundByRound(player.guid, player.name, tuple(dpm[round_.round_key].get(player.guid) for round_ in rounds))
        for player in players
    )
    return columns, rows


def _about_teams(evidence: SessionEvidence) -> tuple[str, ...]:
    if evidence.teams is None:
        return ("who played with whom was not worked out",)
    names = {entry.guid: entry.shown for entry in evidence.rosters}
    still_open = [f"{names.get(guid, guid)}: {why}" for guid, why in sorted(evidence.teams.open.items())]
    flags = [flag_text(flag, names) for flag in evidence.teams.flags]
    return (f"confidence {evidence.teams.confidence}", *evidence.teams.reasons, *still_open, *flags)
