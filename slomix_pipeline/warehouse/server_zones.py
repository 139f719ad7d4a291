"""In which zone the stamps of each game server are: as it is set, and of one that is set no more as it was set last.

Does not belong here: the zone that was given for single files (``file.timezone``), settings of servers that are there
(``settings``).
"""

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.settings import Settings


def note_zone(conn: Connection[DictRow], own: Settings) -> None:
    """Remembers the zone of a game server. ``own``: its settings."""
    conn.execute(
        """insert into server_zone as known (server, timezone) values (%s, %s)
           on conflict (server) do update set timezone = excluded.timezone where known.timezone <> excluded.timezone""",
        [own.server, own.timezone],
    )


def zones(conn: Connection[DictRow], settings: Settings) -> dict[str, str]:
    """The zone of every game server of which one is known, by its id."""
    known = {row["server"]: row["timezone"] for row in conn.execute("select server, timezone from server_zone")}
    return known | {own.server: own.timezone for own in settings.game_servers}


def settings_of(conn: Connection[DictRow], settings: Settings, server: str) -> Settings:
    """The settings of a game server; of one that is set no more those of all, with the zone that it had."""
    own = settings.of_server(server)
    return own.model_copy(update={"timezone": zones(conn, settings).get(server, own.timezone)})
