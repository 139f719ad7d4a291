"""The trust grade of a session: A to D, by what is already known of it, with the reasons.

Belongs here: what costs which grade. The grade is the worst of the findings; A when there is none.
Does not belong here: the checks themselves.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from slomix_pipeline.rules.teams import TeamConfidence


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What is known of a session: how many of each there are.

    ``counted``: matches with a result; ``one_source``: those of them of which only the headers or only the times tell
    it; ``disputed``: those where they name different winners. ``longer_limits``: matches whose round 2 has a longer
    limit than round 1's time; ``unconfirmed``: those of which the limit or the sides could not be looked at, or with a
    long time between their rounds; ``given_up_by_file``: rounds 2 held to be given up by their files alone.
    ``numbers_unknown``: rounds whose result counts and whose numbers are in no total; ``players_unknown``,
    ``without_identity``: single players' parts of a round. ``laws_unexplained``: rounds whose numbers don't add up and
    nobody left, reconnected or changed sides who could explain it; ``laws_unchecked``: rounds that nobody looked at so.
    ``team_confidence`` is None where teams were not worked out.
    """

    matches: int
    counted: int
    one_source: int
    disputed: int
    longer_limits: int
    unconfirmed: int
    given_up_by_file: int
    rounds: int
    timed: int
    unreadable_files: int
    rounds_with_bots: int
    numbers_unknown: int
    players_unknown: int
    without_identity: int
    laws_explained: int
    laws_unexplained: int
    laws_unchecked: int
    team_confidence: TeamConfidence | None
    open_players: int
    substitutions: int
    teams_replaced: int
    overrides: int


class Grade(NamedTuple):
    """``letter``: A (nothing to say) to D (the result itself is in doubt); ``reasons``: in words, worst first."""

    letter: str
    reasons: tuple[str, ...]


def grade(facts: SessionFacts) -> Grade:
    """How far a session's result and numbers can be trusted."""
    found = sorted(_findings(facts), key=lambda finding: finding[0], reverse=True)
    return Grade(found[0][0] if found else "A", tuple(reason for _, reason in found))


def _findings(facts: SessionFacts) -> Iterator[tuple[str, str]]:
    yield from _about_the_result(facts)
    yield from _about_numbers(facts)
    yield from _about_people(facts)


def _about_the_result(facts: SessionFacts) -> Iterator[tuple[str, str]]:
    if not facts.counted:
        yield "D", "no match could be decided"
    if facts.disputed:
        yield "D", f"{_count(facts.disputed, 'match', 'matches')} where header and times name different winners"
    if facts.unreadable_files:
        yield "D", f"{_count(facts.unreadable_files, 'file')} could not be read"
    if facts.counted and facts.counted < facts.matches:
        yield "C", f"{_count(facts.matches - facts.counted, 'match', 'matches')} not counted"
    if facts.longer_limits:
        yield (
            "C",
            f"{_count(facts.longer_limits, 'match', 'matches')} with a longer limit in round 2 than round 1's time",
        )
    if facts.unconfirmed:
        what = "of which the limit, the sides or the time between don't confirm the pair"
        yield "B", f"{_count(facts.unconfirmed, 'match', 'matches')} {what}"
    if facts.one_source:
        yield "B", f"{_count(facts.one_source, 'match', 'matches')} told by the headers or by the times alone"
    if facts.timed < facts.rounds:
        yield "B", f"Lua timing of {facts.timed} of {facts.rounds} rounds only"
    if facts.given_up_by_file:
        what = "ended early, held to be given up by the file alone"
        yield "B", f"{_count(facts.given_up_by_file, 'round 2', 'rounds 2')} {what}"
    if facts.overrides:
        yield "B", f"{_count(facts.overrides, 'decision')} by people"


def _about_numbers(facts: SessionFacts) -> Iterator[tuple[str, str]]:
    if facts.numbers_unknown:
        yield "C", f"the numbers of {_count(facts.numbers_unknown, 'round')} are unknown and in no total"
    if facts.laws_unexplained:
        yield "C", f"numbers of {_count(facts.laws_unexplained, 'round')} don't add up, and nothing explains it"
    if facts.rounds_with_bots:
        yield "C", f"bots in {_count(facts.rounds_with_bots, 'round')}, which don't count"
    if facts.laws_unchecked:
        yield "B", f"whether the numbers of {_count(facts.laws_unchecked, 'round')} add up was not looked at"
    if facts.players_unknown:
        yield "B", f"unknown numbers of single players, {_count(facts.players_unknown, 'time')}"
    if facts.laws_explained:
        who = "as when somebody leaves, reconnects or changes sides"
        yield "B", f"numbers of {_count(facts.laws_explained, 'round')} don't add up, {who}"


def _about_people(facts: SessionFacts) -> Iterator[tuple[str, str]]:
    if facts.team_confidence is None:
        yield "C", "who played with whom was not worked out"
    if facts.team_confidence is TeamConfidence.LOW:
        yield "C", "who played with whom is unsure"
    if facts.teams_replaced:
        yield "C", f"a whole team was replaced by another roster, {_count(facts.teams_replaced, 'time')}"
    if facts.open_players:
        yield "B", f"the team of {_count(facts.open_players, 'player')} is open"
    elif facts.team_confidence is TeamConfidence.MEDIUM:
        yield "B", "teams are not quite sure"
    if facts.substitutions:
        yield "B", _count(facts.substitutions, "substitution")
    if facts.without_identity:
        yield "B", f"players without identity, in no team and no total, {_count(facts.without_identity, 'time')}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def costs() -> list[tuple[str, str]]:
    """What costs which grade: the letter and an example in words of everything that ``grade`` looks at, worst first. Of
    a session of which nothing else is to be said, so it is by the same rule."""
    fine = SessionFacts(
        matches=2, counted=2, one_source=0, disputed=0, longer_limits=0, unconfirmed=0, given_up_by_file=0, rounds=4,
        timed=4, unreadable_files=0, rounds_with_bots=0, numbers_unknown=0, players_unknown=0, without_identity=0,
        laws_explained=0, laws_unexplained=0, laws_unchecked=0, team_confidence=TeamConfidence.HIGH, open_players=0,
        substitutions=0, teams_replaced=0, overrides=0,
    )  # fmt: skip
    known = asdict(fine)
    once = [SessionFacts(**{**known, name: 1}) for name, count in known.items() if count == 0]
    others = [
        replace(fine, counted=0),
        replace(fine, counted=1),
        replace(fine, timed=3),
        *(replace(fine, team_confidence=own) for own in (None, TeamConfidence.LOW, TeamConfidence.MEDIUM)),
    ]
    found = {finding for facts in (*once, *others) for finding in _findings(facts)}
    return sorted(found, key=lambda finding: (finding[0], finding[1]), reverse=True)
