"""Rounds that were played, written straight into the tables that metrics are read from."""

from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.warehouse.facts import rewrite_facts
from slomix_pipeline_tests.building import EVENING, at

ADA, BOB = "ADA00001", "BOB00002"
_SHA = "0" * 64


@dataclass
class Played:
    """Rounds made by hand in a database, as the stages leave them."""

    conn: Connection[DictRow]
    stamps: dict[str, int] = field(default_factory=dict)

    def round(
        self,
        *players: dict[str, Any],
        match: int = 1,
        number: int = 1,
        session: int = 1,
        server: str = "main",
        map_name: str = "supply",
        minutes: float | None = None,
        invalid: str | None = None,
    ) -> str:
        """One round with ``players``, 10 minutes after the one before on its server. Returns its key."""
        count = self.stamps[server] = self.stamps.get(server, 0) + 1
        stamp = at(10 * count if minutes is None else minutes)
        key, session_key = f"{server}:r{count}", f"{server}:s{session}"
        first = key if number == 1 else f"{server}:r{count - 1}"
        run = self.conn.execute
        run("insert into file_content values (%s, '') on conflict do nothing", [_SHA])
        run("insert into file (server, name, kind, status) values (%s, %s, 'stats', 'ingested')", [server, key])
        run(
            """insert into parsed_round (round_key, server, name, sha256, stamp_local, stamp, stamp_ambiguous, label,
                   map, server_name, config, limit_text, attack_time_text, tail_fields, generation, session_if_first)
               values (%s, %s, %s, %s, %s, %s, false, %s, %s, '', '', '', '', 38, '', %s)""",
            [key, server, key, _SHA, stamp.replace(tzinfo=None), stamp, number, map_name, key],
        )
        run("insert into session values (%s, %s, %s, %s) on conflict do nothing", [session_key, server, EVENING, stamp])
        run(
            "insert into round (round_key, match_key, number, status, invalid_reason) values (%s, %s, %s, %s, %s)",
            [key, first, number, "complete", invalid],
        )
        run("insert into session_round values (%s, %s, %s)", [key, session_key, count])
        for player in players:
            self._player(key, session_key, player)
        rewrite_facts(self.conn, [session_key])
        return key

    def _player(self, key: str, session_key: str, player: dict[str, Any]) -> None:
        weapons = player.get("weapons", {})
        values = {"round_key": key, "name": "someone", "side": 1} | {k: v for k, v in player.items() if k != "weapons"}
        self.conn.execute(
            f"insert into round_player ({', '.join(values)}) values ({', '.join(['%s'] * len(values))})",
            list(values.values()),
        )
        for weapon, counts in weapons.items():
            row = {"hits": 0, "shots": 0, "kills": 0, "deaths": 0, "headshots": 0} | counts
            self.conn.execute(
                f"insert into round_weapon (round_key, guid, weapon, {', '.join(row)}) values (%s, %s, %s, %s, %s, %s, %s, %s)",
                [key, player["guid"], weapon, *row.values()],
            )
        self.conn.execute(
            "insert into session_player values (%s, %s, %s, 'A') on conflict do nothing",
            [session_key, player["guid"], values["name"]],
        )

    def decided(self, kind: str, guid: str, other: str | None = None, name: str | None = None) -> None:
        """What a person decided about who somebody is."""
        user = "80351110224678912" if kind == "link" else None
        self.conn.execute(
            """insert into identity_decision (kind, guid, other_guid, discord_id, name, reason, made_by)
               values (%s, %s, %s, %s, %s, 'asked for', 'admin')""",
            [kind, guid, other, user, name],
        )

    def metric(self, level: str, scope: str, guid: str = ADA) -> DictRow:
        """The row of player_metric."""
        (row,) = self.rows(
            "select * from player_metric where level = %s and scope = %s and guid = %s", level, scope, guid
        )
        return row

    def rows(self, query: str, *values: Any) -> list[DictRow]:
        return self.conn.execute(query, values).fetchall()
