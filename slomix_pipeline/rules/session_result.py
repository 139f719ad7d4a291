"""A session from its rounds, as their files have them, to its result: all rules in the order they need each other.

Belongs here: that order, and what one rule's answer is to the next. The stages take the same steps one by one, with
the database in between; who has it all at hand takes them at once with ``session_result``.
Does not belong here: any rule.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple

from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.rules.differential import NO_IDENTITY
from slomix_pipeline.rules.overrides import (
    NOT_COUNTED,
    Override,
    OverrideKind,
    assign_decided_teams,
    meant_team,
    of_kind,
)
from slomix_pipeline.rules.pairing import SIDES_UNSEEN, SecondRoundSeen
from slomix_pipeline.rules.rounds import SessionRounds, work_out
from slomix_pipeline.rules.scoring import Clock, Half, ScoredMatch, Winner, score_session
from slomix_pipeline.rules.teams import Lineup, SessionTeams
from slomix_pipeline.rules.timing import LengthFrom, RoundTiming, time_round
from slomix_pipeline.rules.timing_records import FiledRecord
from slomix_pipeline.rules.values import FiledRound, with_true_limit


class SessionResult(NamedTuple):
    """What the rules make of a session. ``timings``: by round key; ``matches``: in order of play."""

    rounds: SessionRounds
    timings: Mapping[str, RoundTiming]
    teams: SessionTeams
    matches: Sequence[ScoredMatch]


def session_result(
    rounds: Collection[FiledRound],
    window: timedelta,
    filler_maps: Collection[str],
    second_rounds_seen: Sequence[SecondRoundSeen] = (),
    decisions: Sequence[Override] = (),
    records: Sequence[FiledRecord] = (),
) -> SessionResult:
    """The whole of a session; arguments as of ``work_out``. ``decisions``: of the server, those in force."""
    found = work_out(rounds, window, filler_maps, second_rounds_seen, decisions, records)
    by_key = {filed.key: filed.record for filed in records}
    linked = {key: by_key[link.record_key] for key, link in found.links.items() if link.record_key}
    timings = timings_of(rounds, found, linked)
    halves = halves_of(rounds, found, timings, linked)
    teams = teams_of(halves, decisions)
    known = {player.guid for players in found.players.values() for player in players}
    team_of = {guid: team for guid, team in teams.team_of.items() if guid in known}
    return SessionResult(found, timings, teams, matches_of(halves, team_of, decisions))


def timings_of(
    rounds: Iterable[FiledRound], found: SessionRounds, linked: Mapping[str, TimingRecord]
) -> dict[str, RoundTiming]:
    """How long each round was, by key. ``linked``: the timing records of those that have one."""
    headers = {entry.key: entry.stats.header for entry in rounds}
    timings = {}
    for key, place in found.placed.items():
        header = headers[key]
        if place.number == 2 and place.partner:
            header = with_true_limit(header, headers[place.partner])
        seconds = [player.seconds_played for player in found.players[key]]
        seen = SIDES_UNSEEN not in place.flags
        timings[key] = time_round(header, place.status, seconds, found.links[key], linked.get(key), seen)
    return timings


def halves_of(
    rounds: Iterable[FiledRound],
    found: SessionRounds,
    timings: Mapping[str, RoundTiming],
    linked: Mapping[str, TimingRecord],
) -> list[Half]:
    """The rounds in order as parts of matches."""
    return [
        Half(
            entry.key,
            place.partner,
            place.match_key,
            place.number,
            place.status,
            place.reason,
            found.validities[entry.key].unscored_reason,
            entry.map_name,
            entry.stats.header,
            {
                player.guid: player.side
                for player in found.players[entry.key]
                if player.side is not None and NO_IDENTITY not in player.flags
            },
            _clock(timings[entry.key], linked.get(entry.key)),
        )
        for entry in sorted(rounds, key=lambda entry: (entry.stamp, entry.key))
        for place in [found.placed[entry.key]]
    ]


def _clock(timing: RoundTiming, record: TimingRecord | None) -> Clock:
    told = record is not None and record.exit_print is not None
    seconds, source = timing.duration
    return Clock(record.surrender_side if record and told else None, None if source is LengthFrom.LIMIT else seconds)


def teams_of(halves: Sequence[Half], decisions: Iterable[Override]) -> SessionTeams:
    """The teams of a session of these rounds, by those of them that count. ``decisions``: of the server."""
    lineups = [Lineup(half.key, half.number, half.sides) for half in halves if half.unscored_reason is None]
    return assign_decided_teams(lineups, decisions, {half.key for half in halves})


def matches_of(halves: Sequence[Half], team_of: Mapping[str, str], decisions: Iterable[Override]) -> list[ScoredMatch]:
    """The matches of a session in order of play. ``team_of``: GUID to A or B; ``decisions``: of the server.

    A decision names one round of its match; of two the later counts.
    """
    found = of_kind(decisions, OverrideKind.WINNER)
    decided: dict[str, tuple[Winner | None, str]] = {}
    for half in sorted((half for half in halves if half.key in found), key=lambda half: found[half.key].id):
        winner = meant_team(found[half.key].value, found[half.key].roster, team_of)
        decided[half.match_key] = (None if winner == NOT_COUNTED else Winner(winner), found[half.key].in_words)
    return score_session(halves, team_of, decided)
