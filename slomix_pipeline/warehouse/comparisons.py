"""The seven comparisons: what is stored of a round against what its file says.

Belongs here: the numbers side by side. Whether a difference matters is the check's business (``checks``).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.warehouse.rows import rows_of


def differences(conn: Connection[DictRow], players: Mapping[str, Sequence[RoundPlayer]]) -> dict[str, dict[str, int]]:
    """How far each of the seven comparisons is off for rounds, by key; 0 is equal. ``players``: as the rules made
    them."""
    stored = conn.execute(
        """with asked as (select unnest(%s::text[]) as round_key),
                weapons as (select round_key, count(*) as weapon_rows, sum(kills) as weapon_kills
                            from asked join round_weapon using (round_key) group by round_key)
           select round_key, count(p.guid) as players, coalesce(sum(kills), 0) as kills,
                  coalesce(sum(deaths), 0) as deaths,
                  count(*) filter (where least(kills, deaths, headshots, hits, damage_given, damage_received,
                                               seconds_played, gibs, self_kills) < 0) as negatives,
                  coalesce(max(weapon_rows), 0) as weapon_rows, coalesce(max(weapon_kills), 0) as weapon_kills
           from asked left join round_player p using (round_key) left join weapons using (round_key)
           group by round_key""",
        [list(players)],
    ).fetchall()
    off_in_round_two = _round_two_off(conn, players)
    return {
        row["round_key"]: _off(row, players[row["round_key"]]) | {"round_2": off_in_round_two.get(row["round_key"], 0)}
        for row in stored
    }


def _off(stored: DictRow, players: Sequence[RoundPlayer]) -> dict[str, int]:
    """The six comparisons of a round by itself."""
    expected: Mapping[str, int] = {
        "players": len(players),
        "weapon_rows": sum(len(p.weapons or {}) for p in players),
        "kills": sum(p.kills or 0 for p in players),
        "deaths": sum(p.deaths or 0 for p in players),
        "weapon_kills": stored["kills"],
        "negatives": 0,
    }
    return {name: abs(int(stored[name]) - int(value)) for name, value in expected.items()}


def _round_two_off(conn: Connection[DictRow], keys: Iterable[str]) -> dict[str, int]:
    """Kills by which round 1 and the own numbers of round 2 miss round 2's file, over players who did not restart: by
    key, for rounds 2."""
    rows = conn.execute(
        """with second as (
               select round_key, partner_key from round
               where round_key = any(%s) and number = 2 and partner_key is not null
                 and not 'played_as_round_1' = any(flags)
           ), filed as (
               select round_key, guid, sum(kills) as kills from parsed_weapon
               where round_key in (select round_key from second union select partner_key from second)
               group by round_key, guid
           )
           select s.round_key,
                  coalesce(sum(abs(own.kills + coalesce(before.kills, 0) - coalesce(after.kills, 0))), 0) as off
           from second s
           join round_player own using (round_key)
           left join filed before on before.round_key = s.partner_key and before.guid = own.guid
           left join filed after on after.round_key = s.round_key and after.guid = own.guid
           where not 'counter_reset' = any(own.flags)
           group by s.round_key""",
        [list(keys)],
    )
    return {row["round_key"]: int(row["off"]) for row in rows}


@dataclass(frozen=True)
class RoundTotals:
    """What some rounds hold: how many there are, how many of them count, and of all of them kills and damage."""

    rounds: int
    valid: int
    kills: int
    damage: int


def totals(conn: Connection[DictRow], keys: Iterable[str]) -> RoundTotals:
    """What rounds hold, for plotting."""
    with conn.cursor(row_factory=rows_of(RoundTotals)) as cursor:
        found = cursor.execute(
            """select count(distinct r.round_key) as rounds,
                      count(distinct r.round_key) filter (where r.valid) as valid,
                      coalesce(sum(p.kills), 0) as kills, coalesce(sum(p.damage_given), 0) as damage
               from round r left join round_player p using (round_key) where r.round_key = any(%s)""",
            [list(keys)],
        ).fetchone()
    assert found is not None
    return found
