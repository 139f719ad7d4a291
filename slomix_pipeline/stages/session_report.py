"""The report of a whole session, for the UI. It reads, it never decides.

Does not belong here: its words (``reports.evidence``).
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from slomix_pipeline.reports.evidence import evidence_markdown
from slomix_pipeline.reports.markdown import Markdown, escape, table
from slomix_pipeline.rules.team_names import UNNAMED
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.stages.common import Done, Tools
from slomix_pipeline.warehouse import reading, session_reports
from slomix_pipeline.warehouse.session_evidence import session_evidence

_COLUMNS = (
    "team",
    "name",
    "kills",
    "deaths",
    "kd",
    "dpm",
    "damage_given",
    "damage_received",
    "accuracy",
    "headshot_percent",
)


def session_report(keys: Sequence[str], tools: Tools) -> Done:
    """Puts together score, maps, every player's totals and the evidence of these sessions, and notes from what."""
    reports: dict[str, dict[str, Any]] = {}
    for key in keys:
        with tools.database.transaction() as conn:
            if not reading.session_rows(conn, key):
                reports[key] = {"replaced by": reading.resolve_session(conn, key) or "nothing"}
                continue
            made_of = session_reports.made_of(conn, key)
            players = reading.session_players(conn, key)
            matches = reading.matches(conn, [key])
            evidence = session_evidence(conn, key)
            session_reports.remember(conn, key, session_reports.shown(conn, key, evidence, players), made_of)
        reports[key] = _facts(evidence.session, matches, players) | {
            "trust grade": evidence.grade.letter,
            "why this grade": "; ".join(evidence.grade.reasons) or "nothing is wrong",
            "evidence": Markdown(evidence_markdown(evidence)),
        }
    return Done(by_key=reports)


def _facts(
    session: reading.SessionScore, matches: list[reading.MatchSeen], players: list[reading.PlayerTotals]
) -> dict[str, Any]:
    import pandas as pd  # loaded where tables are made

    teams = matches[0].teams if matches else UNNAMED
    shown = {team: escape(name.shown) for team, name in teams.items()}
    frame = pd.DataFrame(
        [asdict(p) | {"team": p.team and shown[p.team], "name": escape(p.name)} for p in players],
        columns=list(_COLUMNS),
    )
    rows = frame.convert_dtypes().round(2).astype(object).where(frame.notna(), "").itertuples(index=False)
    return {
        "teams": f"{teams[Team.A].shown} – {teams[Team.B].shown}",
        "points of A": session.points_a,
        "points of B": session.points_b,
        "policy": session.policy or "none",
        "maps won by A": session.won_a,
        "maps won by B": session.won_b,
        "matches": session.matches,
        "rounds": session.rounds,
        "players": len(players),
        "Lua timing": reading.timing_coverage([seen for match in matches for seen in match.rounds]),
        "table of players": Markdown("\n".join(table(_COLUMNS, rows))),
    }
