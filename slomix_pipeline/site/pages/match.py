"""A match: who won this map, and by what?

Does not belong here: the session around it (``session``), one round's receipt (``round``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix_pipeline.rules.scoring import Source
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.site.answers import Asked, Moved
from slomix_pipeline.site.pages.shared import TOTALS, MatchLine, match_line, match_result, nothing_near
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import reading, site_reading
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals
from slomix_pipeline.warehouse.session_evidence import MatchEvidence, session_evidence
from slomix_pipeline.warehouse.session_rounds import PlayerOfRound, RoundOfSession, session_rounds
from slomix_pipeline.warehouse.site_store import Moment

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
    """``totals``: over both rounds, most impact first; ``team``: None of those whose team is open."""

    team: TeamName | None
    totals: tuple[PlayerTotals, ...]
    players: tuple[PlayerOfMatch, ...]


@dataclass(frozen=True)
class MatchPage:
    """``line``: as in the session's list; ``source``, ``confidence``: what the result rests on."""

    title: str
    line: MatchLine
    session_url: str
    session_title: str
    played_at: datetime | None
    status: str
    reason: str
    source: str | None
    confidence: str | None
    disputed: bool
    policy: str
    teams: tuple[TeamOfMatch, ...]
    columns: tuple[tuple[str, str, str, int], ...]
    round_columns: tuple[tuple[str, str, str, int], ...]
    nobodies: tuple[str, ...]
    has_card: bool
    card_url: str
    before: str | None
    after: str | None


def match_page(moment: Moment, asked: Asked) -> MatchPage:
    """The match of a key; a key of its second round leads to it."""
    conn, wanted = moment.conn, asked.given["key"]
    found = site_reading.match_of(conn, wanted)
    if found is None:
        raise nothing_near(moment, "match", wanted)
    session_key, key = found
    if key != wanted:
        raise Moved(url_of("matches", key))
    matches = reading.matches(conn, [session_key])
    at = next(at for at, match in enumerate(matches) if match.key == key)
    match, evidence = matches[at], session_evidence(conn, session_key)
    own: MatchEvidence = next(one for one in evidence.matches if one.position == match.position)
    rounds = {round_.round_key: round_ for round_ in session_rounds(conn, session_key)}
    a, b = (match.teams[team].shown for team in Team)
    urls = [url_of("matches", other.key) for other in matches]
    return MatchPage(
        title=f"{match.map_name}: {match_result(match)}",
        line=match_line(match, match.map_name in [other.map_name for other in matches[:at]]),
        session_url=url_of("sessions", session_key),
        session_title=f"{a} – {b}",
        played_at=match.rounds[0].ended_at if match.rounds else None,
        status=match.status.replace("_", " "),
        reason=match.reason,
        source=_SOURCES[match.source],
        confidence=None if own.confidence is None else own.confidence.replace("_", " "),
        disputed=bool(own.disputed),
        policy=match.policy,
        teams=_teams(match, [rounds.get(seen.key) if seen else None for seen in (match.first, match.second)]),
        columns=TOTALS,
        round_columns=OF_A_ROUND,
        nobodies=match.without_identity,
        has_card=bool(site_reading.pictures(conn, session_key)),
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


def _teams(match: MatchSeen, rounds: Sequence[RoundOfSession | None]) -> tuple[TeamOfMatch, ...]:
    in_rounds = [{player.guid: player for player in round_.players} if round_ else {} for round_ in rounds]
    keys = [round_.round_key if round_ else None for round_ in rounds]

    def row(player: PlayerTotals) -> PlayerOfMatch:
        own = [of_round.get(player.guid) for of_round in in_rounds]
        urls = [
            f"{url_of('rounds', key)}?player={player.guid}#player" if key and numbers else None
            for key, numbers in zip(keys, own, strict=True)
        ]
        return PlayerOfMatch(player.guid, player.name, (own[0], own[1]), (urls[0], urls[1]))

    found = []
    for team in (*Team, None):
        totals = tuple(player for player in match.players if player.team == team)
        if totals:
            found.append(TeamOfMatch(match.teams[team] if team else None, totals, tuple(map(row, totals))))
    return tuple(found)
