"""Stage 7: the stopwatch score: who won each match, by what, and the points that gives.

Does not belong here: who wins by what (``rules.scoring``).
"""

from collections.abc import Sequence

from slomix_pipeline.checks.outcomes import score_outcome
from slomix_pipeline.rules.score_policies import points
from slomix_pipeline.rules.scoring import ScoredMatch, Winner
from slomix_pipeline.rules.session_result import matches_of
from slomix_pipeline.stages.common import Done, Tools, by_server, sessions_stored
from slomix_pipeline.warehouse import due, matches, overrides, predictions, teams
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.facts import rewrite_facts

_SHOWN = 50  # sessions


def match_score(keys: Sequence[str], tools: Tools) -> Done:
    """Scores the matches of these rounds' sessions, and notes what of it is to be told."""
    policy = tools.settings.scoring_policy
    scores: dict[str, str] = {}
    won: dict[Winner | None, int] = dict.fromkeys((*Winner, None), 0)
    outcomes: dict[str, Outcome] = {}
    for server, own in by_server(keys):
        with sessions_stored(tools, server, own) as (conn, session_keys):
            if not session_keys:
                continue
            halves, team_of = matches.halves_of(conn, session_keys), teams.load_teams(conn, session_keys)
            decisions = overrides.in_force(conn, server)
            scored = {key: matches_of(halves[key], team_of[key], decisions) for key in session_keys}
            matches.store_matches(conn, scored, policy)
            rewrite_facts(conn, session_keys)
            due.note_results(conn, session_keys)
            predictions.note(conn, session_keys, tools.settings.publish_max_age)
            if tools.tells_results:  # whatever happens from now on: what is due is known
                due.note_news(conn, session_keys, tools.settings.told_results, tools.settings.publish_max_age)
            for match in (match for own_matches in scored.values() for match in own_matches):
                won[match.result.winner] += 1
                outcomes.update(_outcomes(match))
            scores |= {key: _in_words(own_matches, policy) for key, own_matches in scored.items()}
    totals = {
        "maps won by A": won[Winner.A],
        "maps won by B": won[Winner.B],
        "draws": won[Winner.DRAW],
        "not counted": won[None],
        "policy": policy,
        "score": dict(sorted(scores.items())[-_SHOWN:]),
    }
    return Done({CheckName.SCORE_SOURCES: outcomes}, totals)


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
