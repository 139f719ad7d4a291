"""What the trust grade of a session is made from, read from where it is known.

Belongs here: counting it. What costs which grade is a rule (``rules.grades``).
"""

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.differential import NO_IDENTITY
from slomix_pipeline.rules.grades import Grade, SessionFacts, grade
from slomix_pipeline.rules.laws import CAUSES, UNEXPLAINED
from slomix_pipeline.rules.pairing import GAP_UNUSUAL, LIMIT_LONGER, LIMIT_UNKNOWN, SIDES_UNSEEN
from slomix_pipeline.rules.scoring import Source
from slomix_pipeline.rules.teams import FlagKind, TeamConfidence
from slomix_pipeline.rules.values import Status
from slomix_pipeline.warehouse import overrides
from slomix_pipeline.warehouse.check_results import CheckName
from slomix_pipeline.warehouse.session_rounds import quarantined_within

_UNCONFIRMED = frozenset({LIMIT_UNKNOWN, GAP_UNUSUAL, SIDES_UNSEEN})


def session_grade(conn: Connection[DictRow], session_key: str) -> Grade:
    """The trust grade of a session with its reasons."""
    return grade(_facts(conn, session_key))


def _facts(conn: Connection[DictRow], session_key: str) -> SessionFacts:
    rounds = conn.execute(
        """select r.round_key, t.record_key is not null as timed,
                  exists (select from parsed_player p where p.round_key = r.round_key and p.guid like 'BOT-%%') as bots,
                  r.unscored_reason is null and not r.valid as without_numbers,
                  r.number = 2 and r.status = %(complete)s and t.surrender_side > 0 and t.record_key is null
                      as given_up,
                  case when r.number = 2 and r.partner_key is not null then r.flags else '{}' end as pair_flags,
                  c.passed, c.metadata ->> %(causes)s <> %(unexplained)s as explained,
                  (select count(*) from round_player p where p.round_key = r.round_key and r.valid and p.kills is null)
                      as players_unknown,
                  (select count(*) from round_player p
                   where p.round_key = r.round_key and r.valid and %(no_identity)s = any(p.flags)) as without_identity
           from session_round s
           join round r using (round_key)
           left join round_timing t using (round_key)
           left join check_result c on c.partition_key = r.round_key and c.check_name = %(laws)s
           where s.session_key = %(session)s order by s.position""",
        {
            "session": session_key,
            "laws": CheckName.CONSERVATION_LAWS,
            "causes": CAUSES,
            "unexplained": UNEXPLAINED,
            "complete": Status.COMPLETE,
            "no_identity": NO_IDENTITY,
        },
    ).fetchall()
    matches = conn.execute(
        """select count(*) as played, count(*) filter (where winner is not null) as counted,
                  count(*) filter (where winner is not null and source <> %(person)s
                                   and (by_header is null or by_time is null)) as one_source,
                  count(*) filter (where disputed and source <> %(person)s) as disputed
           from match where session_key = %(session)s""",
        {"session": session_key, "person": Source.OVERRIDE},
    ).fetchone()
    teams = conn.execute(
        """select s.team_confidence as confidence,
                  (select count(*) from session_player p
                   where p.session_key = s.session_key and p.open_reason is not null) as open_players,
                  (select count(*) from jsonb_array_elements(coalesce(s.team_flags, '[]')) flag
                   where flag ->> 'kind' = %(substitution)s) as substitutions,
                  (select count(*) from jsonb_array_elements(coalesce(s.team_flags, '[]')) flag
                   where flag ->> 'kind' = %(replaced)s) as teams_replaced
           from session s where s.session_key = %(session)s""",
        {
            "session": session_key,
            "substitution": FlagKind.SUBSTITUTION,
            "replaced": FlagKind.TEAM_REPLACED,
        },
    ).fetchone()
    assert matches is not None and teams is not None
    keys = [row["round_key"] for row in rounds]
    broken = [row for row in rounds if row["passed"] is False]
    return SessionFacts(
        matches=matches["played"],
        counted=matches["counted"],
        one_source=matches["one_source"],
        disputed=matches["disputed"],
        longer_limits=sum(LIMIT_LONGER in row["pair_flags"] for row in rounds),
        unconfirmed=sum(not _UNCONFIRMED.isdisjoint(row["pair_flags"]) for row in rounds),
        given_up_by_file=sum(bool(row["given_up"]) for row in rounds),
        rounds=len(rounds),
        timed=sum(row["timed"] for row in rounds),
        unreadable_files=len(quarantined_within(conn, session_key)),
        rounds_with_bots=sum(row["bots"] for row in rounds),
        numbers_unknown=sum(row["without_numbers"] for row in rounds),
        players_unknown=sum(row["players_unknown"] for row in rounds),
        without_identity=sum(row["without_identity"] for row in rounds),
        laws_explained=sum(bool(row["explained"]) for row in broken),
        laws_unexplained=sum(not row["explained"] for row in broken),
        laws_unchecked=sum(row["passed"] is None for row in rounds),
        team_confidence=teams["confidence"] and TeamConfidence(teams["confidence"]),
        open_players=teams["open_players"],
        substitutions=teams["substitutions"],
        teams_replaced=teams["teams_replaced"],
        overrides=len(overrides.about(conn, keys)),
    )
