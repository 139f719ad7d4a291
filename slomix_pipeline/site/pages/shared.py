"""What several pages say of a session or a match, in the same words.

Does not belong here: any one page, numbers as text (``templating``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.rules.score_policies import Points, session_winner
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.team_names import TeamName
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.timing import AttackEnd
from slomix_pipeline.rules.values import Status
from slomix_pipeline.site.answers import Asked, NotUnderstood
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.reading import MatchSeen, RoundSeen, SessionScore
from slomix_pipeline.warehouse.site_store import Moment

# Columns of tables of players: label, what it is, attribute, decimals as in the export.
TOTALS: tuple[tuple[str, str, str, int], ...] = (
    ("K", "kills", "kills", 0),
    ("D", "deaths", "deaths", 0),
    ("K/D", "kills per death", "kd", 2),
    ("DPM", "damage per minute he was there", "dpm", 1),
    ("Dmg", "damage given", "damage_given", 0),
    ("Rcvd", "damage received", "damage_received", 0),
    ("Acc", "accuracy in percent, all weapons", "accuracy", 1),
    ("HS%", "hits on heads per hit, in percent", "headshot_percent", 1),
    ("Rev", "revives given", "revives_given", 0),
    ("Obj", "objectives and dynamites", "objectives", 0),
    ("Imp", "impact: 1.0 is a fair share of the team's kills and damage", "impact", 2),
)


_PLAYS = {2: "second", 3: "third"}


@dataclass(frozen=True)
class AttackShown:
    """How the attack of a round ended. ``by``: the team that attacked; ``url``: of the round."""

    url: str
    text: str
    by: TeamName | None


@dataclass(frozen=True)
class MatchLine:
    """A match in a list. ``winner``: None for a draw or one that is not counted, then ``result`` says which; ``flags``:
    what a reader should know before he believes it."""

    url: str
    map_name: str
    winner: TeamName | None
    result: str
    first: AttackShown | None
    second: AttackShown | None
    score: str
    flags: tuple[str, ...]


def match_lines(matches: Sequence[MatchSeen]) -> tuple[MatchLine, ...]:
    """The matches of a session in order."""
    maps = [match.map_name for match in matches]
    is_timed = any(seen.record_key is not None for match in matches for seen in match.rounds)
    return tuple(
        _match_line(match, maps[: at + 1].count(match.map_name), is_timed=is_timed) for at, match in enumerate(matches)
    )


def _match_line(match: MatchSeen, play: int, *, is_timed: bool) -> MatchLine:
    """A match of a session. ``play``: the how manieth one of its map in it; ``is_timed``: some round of the session has
    a timing record, else the session says once that none has."""
    winner = match.teams[Team(match.winner)] if match.winner in (Winner.A, Winner.B) else None
    attackers = match.attackers_first
    return MatchLine(
        url=url_of("matches", match.key),
        map_name=match.map_name,
        winner=winner,
        result=match_result(match),
        first=attack_shown(match.first, match.teams, attackers),
        second=attack_shown(match.second, match.teams, attackers and other_team(attackers)),
        score=f"{match.score_a} – {match.score_b}",
        flags=tuple(_flags(match, play, is_timed)),
    )


def match_result(match: MatchSeen) -> str:
    """Who won a match."""
    if match.winner is None:
        return "not counted"
    return "draw" if match.winner == Winner.DRAW else f"{match.teams[match.winner].shown} won"


def _flags(match: MatchSeen, play: int, is_timed: bool) -> list[str]:
    flags = [f"{_PLAYS.get(play, f'{play}th')} play this evening"] if play > 1 else []
    if match.winner is None:
        flags.append(match.reason)
    if match.source == Source.OVERRIDE:
        flags.append("decided by a person")
    if match.status is not Status.COMPLETE and match.winner is not None:
        flags.append(match.status.replace("_", " "))
    if match.without_points:
        flags.append("score as far as points are known")
    if is_timed and any(seen.record_key is None for seen in match.rounds):
        flags.append("no Lua timing of a round")
    flags += [
        f"numbers of round {number} left out: {seen.left_out}"
        for number, seen in ((1, match.first), (2, match.second))
        if seen and seen.left_out
    ]
    return [*flags, *match.substitutions]


def attack_shown(seen: RoundSeen | None, teams: Mapping[str, TeamName], by: Team | None) -> AttackShown | None:
    """How the attack of a round ended; None: the round is not there."""
    if seen is None:
        return None
    return AttackShown(url_of("rounds", seen.key), attack_text(seen), teams[by] if by else None)


def attack_text(seen: RoundSeen) -> str:
    """The attack of a round: its time, or how it failed."""
    limit = _clock(seen.header.limit_seconds)
    match seen.attack_end:
        case AttackEnd.COMPLETED:
            gave_up = " (the defenders gave up)" if seen.surrender_side == seen.header.defender_side else ""
            return f"{_clock(seen.attack_seconds)}{gave_up}"
        case AttackEnd.HELD:
            return f"held {limit}"
        case AttackEnd.GAVE_UP:
            return f"gave up at {_clock(seen.lasted)} of {limit}"
        case AttackEnd.ENDED:
            return f"ended at {_clock(seen.lasted)} of {limit}"
    return "not known"


def _clock(seconds: float | None) -> str:
    return "an unknown time" if seconds is None else format_time(round(seconds))


def winner_of(session: SessionScore) -> Winner | None:
    """Who won a session; None: that is open."""
    counted = session.matches - session.not_counted
    return session_winner(Points(session.points_a, session.points_b), counted, session.without_points)


def score_text(session: SessionScore, teams: Mapping[str, TeamName]) -> str:
    """The score of a session with the teams' names: its heading."""
    if session.matches == session.not_counted:
        return "No match counts"
    return f"{teams[Team.A].shown} {session.points_a} – {session.points_b} {teams[Team.B].shown}"


def is_running(moment: Moment, asked: Asked, ended_at: datetime) -> bool:
    """Whether a session that ended then may go on. Only for pages that are ``live``: others would go on saying so."""
    return ended_at in played_until(moment, asked)


def played_until(moment: Moment, asked: Asked) -> tuple[datetime, ...]:
    """When the sessions ended so far that may go on. Only for pages that are ``live``, too."""
    return moment.version.running(asked.now, asked.settings.session_gap)


def number_asked(asked: Asked, name: str, least: int = 0) -> int | None:
    """A whole number behind the ``?``; None: it is not given."""
    text = asked.query.get(name)
    if not text:
        return None
    number = int(text) if re.fullmatch("[0-9]{1,6}", text) else -1
    if number < least:
        raise NotUnderstood(name, f"{text} is no number from {least} to 999999")
    return number
