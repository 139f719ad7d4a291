"""The seven comparisons: what is stored of a round against what its file says.

Belongs here: the numbers side by side. Whether a difference matters is the check's business (``checks``).
"""

from collections.abc import Iterable, Mapping, Sequence

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.rules.differential import RoundPlayer


def differences(conn: Connection[DictRow], key: str, players: Sequence[RoundPlayer]) -> dict[str, int]:
    """How far each of the seven comparisons is off for a round; 0 is equal. ``players``: as the rules made them."""
    stored = conn.execute(
        """select count(*) as players, coalesce(sum(kills), 0) as kills, coalesce(sum(deaths), 0) as deaths,
                  count(*) filter (where least(kills, deaths, headshots, hits, damage_given, damage_received,
                                               seconds_played, gibs, self_kills) < 0) as negatives,
                  (select count(*) from round_weapon where round_key = %(key)s) as weapon_rows,
                  (select coalesce(sum(kills), 0) from round_weapon where round_key = %(key)s) as weapon_kills
           from round_player where round_key = %(key)s""",
        {"key": key},
    ).fetchone()
    assert stored is not None
    expected: Mapping[str, int] = {
        "players": len(players),
        "weapon_rows": sum(len(p.weapons or {}) for p in players),
        "kills": sum(p.kills or 0 for p in players),
        "deaths": sum(p.deaths or 0 for p in players),
        "weapon_kills": stored["kills"],
        "negatives": 0,
    }
    off = {name: abs(int(stored[name]) - int(value)) for name, value in expected.items()}
    return off | {"round_2": _round_two_off(conn, key)}


def _round_two_off(conn: Connection[DictRow], key: str) -> int:
    """Kills by which round 1 and the own numbers of round 2 miss round 2's file, over players who did not restart."""
    found = conn.execute(
        """select coalesce(sum(abs(own.kills + first.kills - second.kills)), 0) as off
           from round r
           join round_player own using (round_key)
           cross join lateral (select coalesce(sum(kills), 0) as kills from parsed_weapon w
                               where w.round_key = r.partner_key and w.guid = own.guid) first
           cross join lateral (select coalesce(sum(kills), 0) as kills from parsed_weapon w
                               where w.round_key = r.round_key and w.guid = own.guid) second
           where r.round_key = %s and r.number = 2 and r.partner_key is not null
             and not 'counter_reset' = any(own.flags) and not 'played_as_round_1' = any(r.flags)""",
        [key],
    ).fetchone()
    assert found is not None
    return int(found["off"])


def totals(conn: Connection[DictRow], keys: Iterable[str]) -> DictRow:
    """Kills, damage and valid rounds of some rounds, for plotting."""
    found = conn.execute(
        """select count(distinct r.round_key) as rounds, count(distinct r.round_key) filter (where r.valid) as valid,
                  coalesce(sum(p.kills), 0) as kills, coalesce(sum(p.damage_given), 0) as damage
           from round r left join round_player p using (round_key) where r.round_key = any(%s)""",
        [list(keys)],
    ).fetchone()
    assert found is not None
    return found
