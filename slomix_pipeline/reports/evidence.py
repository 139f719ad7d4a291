"""The evidence of a session as Markdown: one table of its matches, and what else its result rests on.

Belongs here: the words and the table, for the Dagster UI and the terminal alike.
Does not belong here: reading it (``warehouse.session_evidence``), what players are told (``discord``).
"""

from collections.abc import Iterator

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.reports.markdown import escape, table
from slomix_pipeline.rules.overrides import decided_text
from slomix_pipeline.rules.scoring import Confidence, Source, Winner
from slomix_pipeline.rules.teams import Team, flag_text
from slomix_pipeline.rules.values import SIDE_NAMES, other_side
from slomix_pipeline.warehouse.session_evidence import AttackSeen, MatchEvidence, SessionEvidence

BY = {None: "", Source.HEADER: "headers", Source.TIME: "times", Source.OVERRIDE: "a person"}
SURE = {
    None: "",
    Confidence.VERIFIED_HEADER: "yes",
    Confidence.TIME_FALLBACK: "by the times only",
    Confidence.AMBIGUOUS: "the files disagree",
    Confidence.MISSING: "no",
}
_COLUMNS = ("#", "map", "attacks first", "round 1", "round 2", "result", "points", "by", "sure", "why")


def evidence_markdown(evidence: SessionEvidence) -> str:
    """The whole of it, beginning with the result."""
    return "\n".join([*_head(evidence), "", _matches(evidence), *_rest(evidence)])


def _matches(evidence: SessionEvidence) -> str:
    """The table of matches: who attacked from which side, both times, who won, and by what."""
    rows = []
    for match in evidence.matches:
        points = "" if match.points_a is None else f"{match.points_a}–{match.points_b}"
        cells = (
            match.position,
            match.map,
            _attackers(evidence, match),
            *(_time(match, attack) for attack in match.attacks),
            _result(evidence, match.winner),
            points,
            BY[match.source],
            SURE[match.confidence],
            match.reason,
        )
        rows.append([escape(str(cell)) for cell in cells])
    return "\n".join(table(_COLUMNS, rows))


def _head(evidence: SessionEvidence) -> Iterator[str]:
    session = evidence.session
    a, b = evidence.names[Team.A].shown, evidence.names[Team.B].shown
    yield f"# {session.session_key}"
    yield ""
    result = f"**{escape(a)} {session.points_a} – {session.points_b} {escape(b)}**"
    rest = f"{session.draws} drawn, {session.not_counted} not counted, by {session.policy}"
    yield f"{result}, {rest}. Trust grade **{evidence.grade.letter}**{':' if evidence.grade.reasons else ''}"
    for reason in evidence.grade.reasons:
        yield f"- {escape(reason)}"


def _attackers(evidence: SessionEvidence, match: MatchEvidence) -> str:
    team, side = match.attackers_first, match.attackers_side
    who = evidence.names[team].shown if team else "unknown"
    return f"{who}, {SIDE_NAMES[side]}" if side else who


def _time(match: MatchEvidence, attack: AttackSeen) -> str:
    """A round's attack: its time, or how it failed."""
    if attack.key is None:
        return "not there"
    clock = "?" if attack.seconds is None else format_time(attack.seconds)
    if attack.completed is None:
        return f"{clock} (who won it is not known)"
    if attack.completed:
        side = match.attackers_side
        return f"{clock} (the defenders gave up)" if side and attack.surrender == other_side(side) else clock
    if attack.surrender and attack.played is not None:
        return f"gave up at {format_time(round(attack.played))} of {clock}"
    return f"held {clock}"


def _result(evidence: SessionEvidence, winner: Winner | None) -> str:
    if winner in (Winner.A, Winner.B):
        return evidence.names[winner].shown
    return winner or "not counted"


def _rest(evidence: SessionEvidence) -> Iterator[str]:
    names = {player.guid: player.shown for player in evidence.rosters}
    yield ""
    yield "## Teams"
    yield ""
    for team in Team:
        players = ", ".join(escape(p.shown) for p in evidence.rosters if p.team == team)
        yield f"- {escape(evidence.names[team].shown)}: {players or 'nobody'}"
    if evidence.teams is not None:
        yield f"- confidence {evidence.teams.confidence}: {escape('; '.join(evidence.teams.reasons))}"
        for guid, why in evidence.teams.open.items():
            yield f"- {escape(names.get(guid, guid))} is open: {escape(why)}"
        yield from (f"- {escape(flag_text(flag, names))}" for flag in evidence.teams.flags)
    if evidence.decisions:
        yield from ("", "## Decided by people", "")
        for row in evidence.decisions:
            about = " ".join(part for part in (row.kind, row.player, row.map, row.round_key) if part)
            decided = f"{about}: {decided_text(row.kind, row.value)}, by {row.made_by}: {row.reason}"
            yield f"- {row.id}: {escape(decided)}"
    if evidence.corrections:
        yield from ("", "## Corrected after it was told", "")
        for told in evidence.corrections:
            yield f"- {told.thing}: {escape(told.notice)} ({escape(told.cause)})"
