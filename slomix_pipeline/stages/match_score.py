"""Stage 7: the stopwatch score: who won each match, by what, and the points that gives."""

from collections.abc import Sequence

from slomix_pipeline.checks.outcomes import score_outcome
from slomix_pipeline.formats.keys import server_of
from slomix_pipeline.rules.overrides import NOT_COUNTED, OverrideKind, meant_team, of_kind
from slomix_pipeline.rules.score_policies import points
from slomix_pipeline.rules.scoring import Half, ScoredMatch, Winner, score_session
from slomix_pipeline.stages.common import Conn, Done, Tools, by_server, sessions_stored
from slomix_pipeline.warehouse import due, matches, overrides, teams
from slomix_pipeline.warehouse.check_results import CheckName, Outcome

_SHOWN = 50  # sessions


def match_score(keys: Sequence[str], tools: Tools) -> Done:
    """Scores the matches of these rounds' sessions, and notes what of it is to be told."""
    policy = tools.settings.scoring_policy
    scores: dict[str, str] = {}
    won: dict[Winner | None, int] = dict.fromkeys((*Winner, None), 0)
    outcomes: dict[str, Outcome] = {}
    for server, own in by_server(keys):
        with sessions_stored(tools, server, own) as (conn, session_keys):
            for session_key in session_keys:
                halves, team_of = matches.halves(conn, session_key), teams.load_teams(conn, session_key)
                scored = score_session(halves, team_of, _decided(conn, session_key, halves, team_of))
                matches.store_matches(conn, session_key, scored, policy)
                due.note_results(conn, session_key)
                if tools.tells_results:  # whatever happens from now on: what is due is known
                    due.note_news(conn, session_key, tools.settings.publish_max_age)
                for match in scored:
                    won[match.result.winner] += 1
                    outcomes.update(_outcomes(match))
                scores[session_key] = _in_words(scored, policy)
    totals = {
        "maps won by A": won[Winner.A],
        "maps won by B": won[Winner.B],
        "draws": won[Winner.DRAW],
        "not counted": won[None],
        "policy": policy,
        "score": dict(sorted(scores.items())[-_SHOWN:]),
    }
    return Done({CheckName.SCORE_SOURCES: outcomes}, totals)


def _decided(
    conn: Conn, session_key: str, halves: list[Half], team_of: dict[str, str]
) -> dict[str, tuple[Winner | None, str]]:
    """What people decided, by match key. A decision names one round of its match; of two the later counts."""
    found = of_kind(overrides.in_force(conn, server_of(session_key)), OverrideKind.WINNER)
    decided = {}
    for half in sorted((half for half in halves if half.key in found), key=lambda half: found[half.key].id):
        winner = meant_team(found[half.key], team_of)
        decided[half.match_key] = (None if winner == NOT_COUNTED else Winner(winner), found[half.key].in_words)
    return decided


def _outcomes(match: ScoredMatch) -> dict[str, Outcome]:
    """What the check has to say, by round: of a match with both rounds it is said once, at the second."""
    if match.second is None:
        return {match.first.key: score_outcome(match.result)}
    pointer = Outcome(True, {"told at": match.second.key})
    return {match.first.key: pointer, match.second.key: score_outcome(match.result)}


def _in_words(scored: list[ScoredMatch], policy: str) -> str:
    given = [points(policy, match.result.winner, match.result.both_completed) or (0, 0) for match in scored]
    draws = sum(match.result.winner is Winner.DRAW for match in scored)
    return f"A {sum(a for a, _ in given)} - {sum(b for _, b in given)} B, {draws} draws"
