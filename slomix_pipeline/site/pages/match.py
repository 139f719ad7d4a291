"""A match: who won this map, and by what?

Does not belong here: the session around it (``session``), one round's receipt (``round``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix_pipeline.reports.map_words import par_text
from slomix_pipeline.reports.odds_words import half_time_text, odds_of_result
from slomix_pipeline.rules.awards import WANTED, award_title
from slomix_pipeline.rules.overrides import OverrideKind, decided_text
from slomix_pipeline.rules.scoring import Faster, Source
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.values import Status, map_key
from slomix_pipeline.site.answers import Asked, Moved
from slomix_pipeline.site.meant import nothing_near
from slomix_pipeline.site.pages.attack_axis import Axis, axis
from slomix_pipeline.site.pages.duel_tables import DuelTable, duel_table
from slomix_pipeline.site.pages.held import HeldTable, held_table
from slomix_pipeline.site.pages.shared import TOTALS, MatchLine, match_lines, match_result
from slomix_pipeline.site.pages.team_tables import COLUMNS, Armed, TeamTable, armed, team_tables, unknown_columns
from slomix_pipeline.site.sorting import Head, heads, order_asked
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import reading, site_reading
from slomix_pipeline.warehouse.duels import duels_of
from slomix_pipeline.warehouse.expectations import held_of_match
from slomix_pipeline.warehouse.maps import map_numbers
from slomix_pipeline.warehouse.plays import AwardGiven, Play, awards_given, plays_before
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals
from slomix_pipeline.warehouse.session_evidence import MatchEvidence, session_evidence
from slomix_pipeline.warehouse.session_rounds import PlayerOfRound, RoundOfSession, session_rounds
from slomix_pipeline.warehouse.site_store import Moment
from slomix_pipeline.warehouse.team_totals import team_totals, weapons_used

# In a round: label, what it is, attribute, decimals.
OF_A_ROUND: tuple[tuple[str, str, str, int], ...] = (
    ("K", "kills", "kills", 0),
    ("D", "deaths", "deaths", 0),
    ("DPM", "damage per minute he was there", "dpm", 1),
)


@dataclass(frozen=True)
class PlayerOfMatch:
    """A player in a match. ``urls``: of both rounds' receipts of him; ``rounds``: his numbers in them, None: he was not
    there."""

    guid: str
    name: str
    rounds: tuple[PlayerOfRound | None, PlayerOfRound | None]
    urls: tuple[str | None, str | None]


@dataclass(frozen=True)
class TeamOfMatch:
    """``totals``: over both rounds; ``players``: round by round, in the same order."""

    totals: TeamTable
    players: tuple[PlayerOfMatch, ...]


@dataclass(frozen=True)
class AwardLine:
    """An award of a round. ``covers``: what of the match its number is of."""

    title: str
    name: str
    guid: str | None
    text: str
    covers: str


@dataclass(frozen=True)
class PlayLine:
    """Another play of the map. ``winner``: None where nobody won, then ``result`` says why; ``started_at``: None of one
    of this evening."""

    url: str
    winner: TeamName | None
    result: str
    started_at: datetime | None


@dataclass(frozen=True)
class MatchPage:
    """``line``: as in the session's list; ``source``, ``confidence``: what the result rests on; ``missing``: which of
    its halves is; ``versions``: what header and times say of one that is disputed; ``unknown``: columns in which a
    number is; ``awards``: by round; ``others``: the other plays of its map; ``half_time``: what
    was said then of the time to beat, and ``foretold`` of what then happened, where that counts."""

    title: str
    map_name: str
    line: MatchLine
    session_url: str
    session_title: str
    played_at: datetime | None
    status: str
    reason: str
    source: str | None
    confidence: str | None
    missing: str | None
    versions: tuple[tuple[str, str], ...]
    decisions: tuple[tuple[str, datetime], ...]
    axis: Axis | None
    par: str | None
    half_time: str | None
    foretold: str | None
    teams: tuple[TeamOfMatch, ...]
    columns: tuple[tuple[str, str, str, int], ...]
    heads: tuple[Head, ...]
    round_columns: tuple[tuple[str, str, str, int], ...]
    unknown: tuple[str, ...]
    nobodies: tuple[str, ...]
    held: HeldTable
    armed: tuple[Armed, ...]
    duels: DuelTable
    awards: tuple[tuple[int, tuple[AwardLine, ...]], ...]
    others: tuple[PlayLine, ...]
    has_card: bool
    card_url: str
    before: str | None
    after: str | None


def match_page(moment: Moment, asked: Asked) -> MatchPage:
    """The match of a key; a key of its second round leads to it. ``?sort=``: its players by this column."""
    conn, wanted = moment.conn, asked.given["key"]
    found = site_reading.match_of(conn, wanted)
    if found is None:
        raise nothing_near(moment, "match", wanted)
    session_key, key = found
    if key != wanted:
        raise Moved(url_of("matches", key))
    order = order_asked(asked, COLUMNS)
    matches = reading.matches(conn, [session_key], records=False, players_of=[key])
    at = next(at for at, match in enumerate(matches) if match.key == key)
    match, evidence = matches[at], session_evidence(conn, session_key)
    own: MatchEvidence = next(one for one in evidence.matches if one.position == match.position)
    rounds = {round_.round_key: round_ for round_ in session_rounds(conn, session_key)}
    totals = team_tables(match.players, match.teams, team_totals(conn, "match", key), order=order)
    pictures = site_reading.pictures(conn, session_key)
    a, b = (match.teams[team].shown for team in Team)
    urls = [url_of("matches", other.key) for other in matches]
    lines = match_lines(matches)
    return MatchPage(
        title=f"{match.map_name}: {match_result(match)}",
        map_name=match.map_name,
        line=lines[at],
        session_url=url_of("sessions", session_key),
        session_title=f"{a} – {b}",
        played_at=match.rounds[0].ended_at if match.rounds else None,
        status=match.status.replace("_", " "),
        reason=match.reason,
        source=_SOURCES[match.source],
        confidence=None if own.confidence is None else own.confidence.replace("_", " "),
        missing=_missing(match),
        versions=_versions(own, match) if own.disputed else (),
        decisions=tuple(
            (f"{row.kind}: {decided_text(row.kind, row.value)}: {row.reason}", row.made_at)
            for row in evidence.decisions
            if row.round_key in (own.r1_key, own.r2_key) and row.kind is not OverrideKind.TEAM
        ),
        axis=axis(match),
        par=par_text(numbers[0]) if (numbers := map_numbers(conn, map_key(match.map_name))) else None,
        half_time=half_time_text(match.half_time) if match.half_time else None,
        foretold=odds_of_result(match),
        teams=_teams(totals, [rounds.get(seen.key) if seen else None for seen in (match.first, match.second)]),
        columns=TOTALS,
        heads=heads(COLUMNS, order, url_of("matches", key)),
        round_columns=OF_A_ROUND,
        unknown=unknown_columns(match.players),
        nobodies=match.without_identity,
        held=held_table(held_of_match(conn, session_key, [seen.key for seen in match.rounds]), "match"),
        armed=armed(weapons_used(conn, "match", key), match.players),
        duels=duel_table(duels_of(conn, session_key, key), match.players),
        awards=_awards(awards_given(conn, key, WANTED), {entry.guid: entry.shown for entry in evidence.rosters}),
        others=(*_this_evening(lines, at), *map(_play_line, plays_before(conn, key))),
        has_card=bool(pictures) and pictures[0].of_present,
        card_url=url_of("sessions", session_key, "card.png"),
        before=urls[at - 1] if at else None,
        after=urls[at + 1] if at + 1 < len(urls) else None,
    )


_SOURCES = {
    None: None,
    Source.HEADER: "the files' headers",
    Source.TIME: "the times",
    Source.OVERRIDE: "the decision of a person",
}


def _missing(match: MatchSeen) -> str | None:
    """Which half is missing. That a person decided such a match is told beside."""
    half = {Status.R1_ONLY: "The second half is missing", Status.R2_ONLY: "The first half is missing"}.get(match.status)
    return half and f"{half}{': not counted' if match.winner is None else ''}."


def _versions(said: MatchEvidence, match: MatchSeen) -> tuple[tuple[str, str], ...]:
    """What header and times say, side by side."""
    first = match.attackers_first
    attackers = {Faster.FIRST: first, Faster.SECOND: first and other_team(first)}

    def won(claim: Faster | None) -> str:
        if claim is None or claim == Faster.DRAW:
            return claim or "nothing"
        team = attackers[claim]
        return f"the {claim} attackers won" if team is None else f"{match.teams[team].shown} won"

    return (("The files' headers say", won(said.by_header)), ("The times say", won(said.by_time)))


def _awards(
    given: Sequence[AwardGiven], names: Mapping[str | None, str]
) -> tuple[tuple[int, tuple[AwardLine, ...]], ...]:
    lines: dict[int, list[AwardLine]] = {}
    for one in given:
        covers = "of both rounds" if one.scope == "both_rounds" else ""
        lines.setdefault(one.number, []).append(
            AwardLine(award_title(one.award), names.get(one.guid, one.name), one.guid, one.text, covers)
        )
    return tuple((number, tuple(own)) for number, own in sorted(lines.items()))


def _this_evening(lines: Sequence[MatchLine], at: int) -> tuple[PlayLine, ...]:
    return tuple(
        PlayLine(line.url, line.winner, line.result, None)
        for place, line in enumerate(lines)
        if place != at and line.map_name == lines[at].map_name
    )


def _play_line(play: Play) -> PlayLine:
    result = "not counted" if play.outcome is None else "draw"
    return PlayLine(url_of("matches", play.match_key), play.winner, result, play.started_at)


def _teams(tables: Sequence[TeamTable], rounds: Sequence[RoundOfSession | None]) -> tuple[TeamOfMatch, ...]:
    in_rounds = [{player.guid: player for player in round_.players} if round_ else {} for round_ in rounds]
    keys = [round_.round_key if round_ else None for round_ in rounds]

    def row(player: PlayerTotals) -> PlayerOfMatch:
        own = [of_round.get(player.guid) for of_round in in_rounds]
        urls = [
            f"{url_of('rounds', key)}?player={player.guid}#player" if key and numbers else None
            for key, numbers in zip(keys, own, strict=True)
        ]
        return PlayerOfMatch(player.guid, player.name, (own[0], own[1]), (urls[0], urls[1]))

    return tuple(TeamOfMatch(table, tuple(map(row, table.players))) for table in tables)
