"""The teams of sessions: who is in them, what they are called, how sure that is; and the teams that are known by name.

Belongs here: the tables ``session_player``, ``session_team``, ``known_team``, and what ``session`` has about teams.
Does not belong here: working them out (``rules.teams``, ``rules.team_names``).
Writing a session's teams needs the server's lock.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.rules.differential import NO_IDENTITY
from slomix_pipeline.rules.team_names import UNNAMED, KnownTeam, NameSource, TeamName
from slomix_pipeline.rules.teams import Flag, FlagKind, SessionTeams, TeamConfidence


@dataclass(frozen=True)
class TeamEvidence:
    """How sure a session's teams are, and why. ``open``: GUID of who stays open, and why."""

    confidence: TeamConfidence
    reasons: tuple[str, ...]
    open: Mapping[str, str]
    flags: tuple[Flag, ...]


def players_of(conn: Connection[DictRow], session_key: str) -> dict[str, str]:
    """Everybody known who played in a session, under his latest name without colour codes, by GUID."""
    rows = conn.execute(
        """select guid, (array_agg(name order by name = '', position desc))[1] as name
           from session_round join round_player using (round_key)
           where session_key = %s and not %s = any(round_player.flags)
           group by guid order by guid""",
        [session_key, NO_IDENTITY],
    )
    return {row["guid"]: row["name"] for row in rows}


def store_teams(
    conn: Connection[DictRow],
    session_key: str,
    players: Mapping[str, str],
    teams: SessionTeams,
    names: Mapping[str, TeamName],
) -> None:
    """Writes who played in a session for which team, what the teams are called and how sure it is.

    ``players``: as ``players_of`` has them.
    """
    remove_teams(conn, session_key)
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into session_player (session_key, guid, name, team, open_reason) values (%s, %s, %s, %s, %s)",
            [
                (session_key, guid, name, teams.team_of.get(guid), teams.open.get(guid))
                for guid, name in players.items()
            ],
        )
        cursor.executemany(
            "insert into session_team (session_key, team, name, name_source, colour) values (%s, %s, %s, %s, %s)",
            [(session_key, team, name.name, name.source, name.colour) for team, name in names.items()],
        )
    conn.execute(
        """update session set team_confidence = %s, team_reasons = %s, team_flags = %s,
                  known_teams = (select digest from session_known_teams where session_key = %s)
           where session_key = %s""",
        [teams.confidence, list(teams.reasons), Jsonb([asdict(f) for f in teams.flags]), session_key, session_key],
    )


def remove_teams(conn: Connection[DictRow], session_key: str) -> None:
    """Takes a session's teams away, until its rounds are worked out again."""
    conn.execute("delete from session_player where session_key = %s", [session_key])
    conn.execute("delete from session_team where session_key = %s", [session_key])
    conn.execute(
        """update session set team_confidence = null, team_reasons = null, team_flags = null, known_teams = null
           where session_key = %s""",
        [session_key],
    )


def load_teams(conn: Connection[DictRow], session_key: str) -> dict[str, str]:
    """The team of every player of a session who has one, by GUID."""
    rows = conn.execute(
        "select guid, team from session_player where session_key = %s and team is not null", [session_key]
    )
    return {row["guid"]: row["team"] for row in rows}


def team_names(conn: Connection[DictRow], session_keys: Iterable[str]) -> dict[str, dict[str, TeamName]]:
    """What the teams A and B of sessions are called, by session."""
    keys = list(session_keys)
    found = {key: dict(UNNAMED) for key in keys}
    for row in conn.execute("select * from session_team where session_key = any(%s)", [keys]):
        name = TeamName(row["team"], row["name"], NameSource(row["name_source"]), row["colour"])
        found[row["session_key"]][row["team"]] = name
    return found


def team_evidence(conn: Connection[DictRow], session_key: str) -> TeamEvidence | None:
    """What is known about a session's teams; None until they were worked out."""
    row = conn.execute(
        """select team_confidence, team_reasons, team_flags,
                  (select coalesce(jsonb_object_agg(guid, open_reason order by guid), '{}') from session_player p
                   where p.session_key = s.session_key and open_reason is not null) as open
           from session s where session_key = %s and team_confidence is not null""",
        [session_key],
    ).fetchone()
    if row is None:
        return None
    flags = tuple(
        Flag(FlagKind(f["kind"]), tuple(f["rounds"]), f["team"], tuple(f["players"]), tuple(f["gone"]))
        for f in row["team_flags"]
    )
    return TeamEvidence(TeamConfidence(row["team_confidence"]), tuple(row["team_reasons"]), row["open"], flags)


# --- teams that are known by name ---


def known_teams(conn: Connection[DictRow]) -> list[KnownTeam]:
    """The known teams by name."""
    rows = conn.execute("select name, colour, guids from known_team order by lower(name)")
    return [KnownTeam(row["name"], row["colour"], frozenset(row["guids"])) for row in rows]


def hold_known_teams(conn: Connection[DictRow]) -> list[KnownTeam]:
    """The known teams, which nobody changes until the end of this transaction: sessions are named by them."""
    conn.execute("lock table known_team in share mode")
    return known_teams(conn)


def remember_team(conn: Connection[DictRow], team: KnownTeam) -> None:
    """Writes a known team in place of what was known under its name, in any case."""
    forget_team(conn, team.name)
    conn.execute("insert into known_team values (%s, %s, %s)", [team.name, team.colour, sorted(team.guids)])


def forget_team(conn: Connection[DictRow], name: str) -> bool:
    """Takes a known team away. Returns whether there was one of this name, in any case."""
    return conn.execute("delete from known_team where lower(name) = lower(%s)", [name]).rowcount > 0


def player_names(conn: Connection[DictRow], guids: Collection[str]) -> dict[str, str]:
    """The names to show for GUIDs; who never played has none."""
    rows = conn.execute("select guid, name from player_name where guid = any(%s)", [list(guids)])
    return {row["guid"]: row["name"] for row in rows}
