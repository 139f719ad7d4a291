"""What the trust grade of a session is made from, read from where it is known.

Belongs here: counting it. What costs which grade is a rule (``rules.grades``).
"""

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.grades import Grade, SessionFacts, grade
from slomix_pipeline.warehouse import overrides, reading


def session_grade(conn: Connection[DictRow], session_key: str) -> Grade:
    """The trust grade of a session with its reasons."""
    return grade(_facts(conn, session_key))


def _facts(conn: Connection[DictRow], session_key: str) -> SessionFacts:
    rounds = conn.execute(
        """select r.round_key, t.record_key is not null as timed,
                  exists (select from parsed_player p where p.round_key = r.round_key and p.guid like 'BOT-%%') as bots,
                  coalesce(not c.passed, false) as broken, c.metadata ->> 'what may explain it' as explained_by
           from session_round r
           left join round_timing t using (round_key)
           left join check_result c on c.partition_key = r.round_key and c.check_name = 'conservation_laws'
           where r.session_key = %s order by r.position""",
        [session_key],
    ).fetchall()
    matches = conn.execute(
        """select count(*) as played, count(*) filter (where winner is not null) as counted,
                  count(*) filter (where disputed and source <> 'override') as disputed
           from match where session_key = %s""",
        [session_key],
    ).fetchone()
    teams = conn.execute(
        """select s.server, coalesce(s.team_confidence, 'low') as confidence,
                  (select count(*) from session_player p
                   where p.session_key = s.session_key and p.open_reason is not null) as open_players,
                  (select count(*) from jsonb_array_elements(coalesce(s.team_flags, '[]')) flag
                   where flag ->> 'kind' = 'substitution') as substitutions
           from session s where s.session_key = %s""",
        [session_key],
    ).fetchone()
    assert matches is not None and teams is not None
    keys = [row["round_key"] for row in rounds]
    stamps = [key.partition(":")[2][:17] for key in keys]
    broken = [row for row in rounds if row["broken"]]
    return SessionFacts(
        matches=matches["played"],
        counted=matches["counted"],
        rounds=len(rounds),
        timed=sum(row["timed"] for row in rounds),
        unreadable_files=len(reading.quarantined_between(conn, teams["server"], min(stamps), max(stamps))),
        rounds_with_bots=sum(row["bots"] for row in rounds),
        laws_explained=sum(bool(row["explained_by"]) for row in broken),
        laws_unexplained=sum(not row["explained_by"] for row in broken),
        disputed=matches["disputed"],
        team_confidence=teams["confidence"],
        open_players=teams["open_players"],
        substitutions=teams["substitutions"],
        overrides=len(overrides.about(conn, keys)),
    )
