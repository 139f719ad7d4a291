"""``slomix whatif``: all history under another score policy, beside what is published. Nothing is written.

Belongs here: comparing, and how the comparison is printed. Who won a match is read as it is stored: no policy
changes it, and a session worked out anew (``rules.session_result``) takes a millisecond a file, all history minutes.
Does not belong here: how many points a match gives (``rules.score_policies``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.table import Table

from slomix_pipeline.cli.terminal import Terminal
from slomix_pipeline.rules.score_policies import POLICIES, Points, points, session_winner
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.warehouse import matches
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.matches import MatchScored


@dataclass(frozen=True)
class MatchCompared:
    """A match with its points as published and under the other policy; None: not counted, or not known."""

    order: int
    map_name: str
    winner: Winner | None
    published: Points | None
    other: Points | None

    @property
    def differs(self) -> bool:
        return self.published != self.other


@dataclass(frozen=True)
class Total:
    """A session's score. ``unknown``: matches that were decided and whose points nobody knows."""

    points: Points
    counted: int
    unknown: int

    @property
    def winner(self) -> Winner | None:
        """None when no match counts, or points are missing."""
        return session_winner(self.points, self.counted, self.unknown)


@dataclass(frozen=True)
class SessionCompared:
    """A session with both scores. ``policy``: the published one's; ``matches``: all of them, in order of play."""

    key: str
    policy: str
    matches: tuple[MatchCompared, ...]

    @property
    def published(self) -> Total:
        return _total((match.winner, match.published) for match in self.matches)

    @property
    def other(self) -> Total:
        return _total((match.winner, match.other) for match in self.matches)

    @property
    def differing(self) -> list[MatchCompared]:
        return [match for match in self.matches if match.differs]

    @property
    def winner_changes(self) -> bool:
        return self.published.winner != self.other.winner


def compare(database: Database, policy: str, session_key: str | None) -> list[SessionCompared]:
    """Every session, or one, as published and as ``policy`` would have it, oldest first.

    Raises:
        KeyError: there is no such policy.
    """
    with database.snapshot() as conn:
        rows = matches.scored(conn, session_key)
    return [
        SessionCompared(key, own[0].policy, tuple(_compared(row, policy) for row in own))
        for key, own in ((key, list(group)) for key, group in groupby(rows, key=lambda row: row.session_key))
    ]


def _compared(row: MatchScored, policy: str) -> MatchCompared:
    published = None if row.points_a is None or row.points_b is None else Points(row.points_a, row.points_b)
    other = points(policy, row.winner, row.both_completed)
    return MatchCompared(row.position, row.map, row.winner, published, other)


def _total(given: Iterable[tuple[Winner | None, Points | None]]) -> Total:
    counted = [own for winner, own in given if winner is not None]
    known = [own for own in counted if own is not None]
    return Total(
        Points(sum(own.a for own in known), sum(own.b for own in known)), len(counted), len(counted) - len(known)
    )


def as_json(sessions: Sequence[SessionCompared], policy: str) -> dict[str, Any]:
    """What differs, for programs."""
    return {
        "policy": policy,
        "sessions": [
            {
                "key": session.key,
                "published": {"policy": session.policy, **_total_as_json(session.published)},
                "other": {"policy": policy, **_total_as_json(session.other)},
                "winner_changes": session.winner_changes,
                "matches": [
                    {
                        "order": match.order,
                        "map": match.map_name,
                        "winner": match.winner,
                        "published": _points_as_json(match.published),
                        "other": _points_as_json(match.other),
                    }
                    for match in session.differing
                ],
            }
            for session in _differing(sessions)
        ],
        "summary": {
            "sessions": len(sessions),
            "sessions_that_differ": len(_differing(sessions)),
            "matches": sum(len(session.matches) for session in sessions),
            "matches_that_differ": sum(len(session.differing) for session in sessions),
            "winner_changes": [session.key for session in sessions if session.winner_changes],
        },
    }


def _total_as_json(total: Total) -> dict[str, Any]:
    return {"A": total.points.a, "B": total.points.b, "winner": total.winner, "points_unknown": total.unknown}


def _points_as_json(given: Points | None) -> dict[str, int] | None:
    return None if given is None else {"A": given.a, "B": given.b}


def _differing(sessions: Sequence[SessionCompared]) -> list[SessionCompared]:
    return [session for session in sessions if session.differing]


def print_comparison(out: Terminal, sessions: Sequence[SessionCompared], policy: str) -> None:
    """What differs as a table, sessions with their matches below them, and what that comes to."""
    published = ", ".join(sorted({session.policy for session in sessions})) or "nothing"
    out.print(f"Published: {published}. Beside it: {policy}, {POLICIES[policy].in_words}.", soft_wrap=True)
    if differing := _differing(sessions):
        out.print(_table(differing, policy))
    out.print(_summary(sessions), soft_wrap=True)
    if unknown := sum(session.other.unknown for session in sessions):
        out.print(
            f"Of {_count(unknown, 'match', 'matches')} nobody knows the points (?): "
            "it can't be told whether round 1's attack was completed.",
            soft_wrap=True,
        )
    out.print("Nothing was changed; SLOMIX_SCORING_POLICY sets what is published.", soft_wrap=True)


def _table(sessions: Sequence[SessionCompared], policy: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("session, match", no_wrap=True)
    table.add_column("winner", no_wrap=True)
    table.add_column("published", justify="right", no_wrap=True)
    table.add_column(f"→ {policy}", justify="right", no_wrap=True)
    for session in sessions:
        before, after = session.published, session.other
        table.add_row(
            session.key,
            _winners(session),
            _score(before),
            _score(after),
            style="bold red" if session.winner_changes else "bold",
        )
        for match in session.differing:
            table.add_row(
                f"  {match.order:2} {match.map_name}",
                match.winner,
                _points(match.published),
                _points(match.other),
            )
    return table


def _winners(session: SessionCompared) -> str:
    before, after = session.published.winner, session.other.winner
    return str(before or "open") if before == after else f"{before or 'open'} → {after or 'open'}"


def _score(total: Total) -> str:
    return f"{_points(total.points)}{' + ?' if total.unknown else ''}"


def _points(given: Points | None) -> str:
    return "?" if given is None else f"{given.a} – {given.b}"


def _summary(sessions: Sequence[SessionCompared]) -> str:
    matches_seen = sum(len(session.matches) for session in sessions)
    changed = [session for session in sessions if session.winner_changes]
    text = (
        f"{len(_differing(sessions))} of {_count(len(sessions), 'session')} and "
        f"{sum(len(session.differing) for session in sessions)} of {_count(matches_seen, 'match', 'matches')} differ; "
    )
    if not changed:
        return f"{text}no session has another winner."
    which = ", ".join(f"{session.key} ({_winners(session)})" for session in changed)
    return f"{text}{_count(len(changed), 'session has', 'sessions have')} another winner: {which}."


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
