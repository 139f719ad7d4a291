"""The teams of sessions: who is in them, what they are called, how sure that is; and the teams that are known by name.

Belongs here: the tables ``session_player``, ``session_team``, ``known_team``, and what ``session`` has about teams.
Does not belong here: working them out (``rules.teams``, ``rules.team_names``).
Writing a session's teams needs the server's lock.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from slomix_pipeline.rules.differential import NO_IDENTITY
from slomix_pipeline.rules.team_names import UNNAMED, KnownTeam, NameSource, TeamName
from slomix_pipeline.rules.teams import Flag, FlagKind, SessionTeams, TeamConfidence, flag_text


@dataclass(frozen=True)
class TeamEvidence:
    """How sure a session's teams are, and why. ``open``: GUID of who stays open, and why."""

    confidence: TeamConfidence
    reasons: tuple[str, ...]
    open: Mapping[str, str]
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Rosters:
    """Who played in a session, by GUID under his latest name; in which teams, and what these are called."""

    players: Mapping[str, str]
    teams: SessionTeams
    names: Mapping[str, TeamName]


def players_of(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """Everybody known who played in sessions, by session: under his latest name without colour codes, by GUID."""
    rows = conn.execute(
        """select session_key, guid, (array_agg(name order by name = '', position desc))[1] as name
           from session_round join round_player using (round_key)
           where session_key = any(%s) and not %s = any(round_player.flags)
           group by session_key, guid order by session_key, guid""",
        [list(session_keys), NO_IDENTITY],
    )
    found: dict[str, dict[str, str]] = {key: {} for key in session_keys}
    for row in rows:
        found[row["session_key"]][row["guid"]] = row["name"]
    return found


def store_teams(conn: Connection[DictRow], rosters: Mapping[str, Rosters]) -> None:
    """Writes, by session, who played for which team, what the teams are called and how sure it is."""
    _remove_rosters(conn, list(rosters))
    with conn.cursor() as cursor:
        with cursor.copy("copy session_player (session_key, guid, name, team, open_reason) from stdin") as copy:
            for session_key, own in rosters.items():
                for guid, name in own.players.items():
                    copy.write_row((session_key, guid, name, own.teams.team_of.get(guid), own.teams.open.get(guid)))
        with cursor.copy("copy session_team (session_key, team, name, name_source, colour) from stdin") as copy:
            for session_key, own in rosters.items():
                for team, called in own.names.items():
                    copy.write_row((session_key, team, called.name, called.source, called.colour))
    told = {key: own.teams for key, own in rosters.items()}
    conn.execute(
        """update session s
           set team_confidence = told.confidence, team_flags = told.flags,
               team_reasons = array(select jsonb_array_elements_text(told.reasons)),
               known_teams = (select digest from session_known_teams k where k.session_key = s.session_key)
           from unnest(%s::text[], %s::text[], %s::jsonb[], %s::jsonb[])
                as told (session_key, confidence, reasons, flags)
           where s.session_key = told.session_key""",
        [
            list(told),
            [teams.confidence for teams in told.values()],
            [Jsonb(teams.reasons) for teams in told.values()],
            [Jsonb([asdict(flag) for flag in teams.flags]) for teams in told.values()],
        ],
    )


def remove_teams(conn: Connection[DictRow], session_keys: Sequence[str]) -> None:
    """Takes the teams of sessions away, until their rounds are worked out again."""
    _remove_rosters(conn, session_keys)
    conn.execute(
        """update session set team_confidence = null, team_reasons = null, team_flags = null, known_teams = null
           where session_key = any(%s)""",
        [session_keys],
    )


def _remove_rosters(conn: Connection[DictRow], session_keys: Sequence[str]) -> None:
    conn.execute("delete from session_player where session_key = any(%s)", [session_keys])
    conn.execute("delete from session_team where session_key = any(%s)", [session_keys])


def load_teams(conn: Connection[DictRow], session_keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """The team of every player of sessions who has one, by session and GUID."""
    rows = conn.execute(
        "select session_key, guid, team from session_player where session_key = any(%s) and team is not null",
        [list(session_keys)],
    )
    found: dict[str, dict[str, str]] = {key: {} for key in session_keys}
    for row in rows:
        found[row["session_key"]][row["guid"]] = row["team"]
    return found


def team_names(conn: Connection[DictRow], session_keys: Iterable[str]) -> dict[str, dict[str, TeamName]]:
    """What the teams A and B of sessions are called, by session."""
    keys = list(session_keys)
    found = {key: dict(UNNAMED) for key in keys}
    for row in conn.execute("select * from session_team where session_key = any(%s)", [keys]):
        name = TeamName(row["team"], row["name"], NameSource(row["name_source"]), row["colour"])
        found[row["session_key"]][row["team"]] = name
    return found


def substitutions(conn: Connection[DictRow], session_keys: Iterable[str]) -> dict[str, list[str]]:
    """Who came for whom in sessions, in words, by the key of the first round with it."""
    found: dict[str, list[str]] = {}
    for row in conn.execute(
        """select flag, names from session s
           cross join lateral jsonb_array_elements(coalesce(team_flags, '[]')) flag
           cross join lateral (select jsonb_object_agg(guid, called) as names
                               from session_name p where p.session_key = s.session_key) n
           where s.session_key = any(%s) and flag ->> 'kind' = any(%s)""",
        [list(session_keys), [FlagKind.SUBSTITUTION, FlagKind.TEAM_REPLACED]],
    ):
        flag = _flag(row["flag"])
        found.setdefault(flag.rounds[0], []).append(flag_text(flag, row["names"] or {}))
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
    flags = tuple(map(_flag, row["team_flags"]))
    return TeamEvidence(TeamConfidence(row["team_confidence"]), tuple(row["team_reasons"]), row["open"], flags)


def _flag(stored: Mapping[str, Any]) -> Flag:
    players, gone = tuple(stored["players"]), tuple(stored["gone"])
    return Flag(FlagKind(stored["kind"]), tuple(stored["rounds"]), stored["team"], players, gone)


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
    rows = conn.execute("select guid, name from person where guid = any(%s)", [list(guids)])
    return {row["guid"]: row["name"] for row in rows}
