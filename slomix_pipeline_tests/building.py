"""Builders of invented values for the tests of the rules: player lines, stats files, rounds in their place in time.

Belongs here: sensible defaults, so that a test names only what it is about.
Does not belong here: whole evenings (``slomix_pipeline.simulator``), anything from real files.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, Header, PlayerLine, StatsFile, WeaponCounts
from slomix_pipeline.formats.gametimes import TimingRecord
from slomix_pipeline.formats.tail import LAYOUTS, TAIL_FIELDS
from slomix_pipeline.rules.differential import RoundPlayer, round_two_players
from slomix_pipeline.rules.linking import Clocked
from slomix_pipeline.rules.pairing import Placed, SecondRoundSeen, pair_rounds
from slomix_pipeline.rules.timing_records import FiledRecord
from slomix_pipeline.rules.values import FiledRound, Status, other_side

EVENING = datetime(2031, 5, 6, 20, 0, tzinfo=UTC)

NAMES = ("ada", "bob", "cyd", "dan", "eve", "fin")


def at(minutes: float) -> datetime:
    """A moment of the invented evening, ``minutes`` after its begin."""
    return EVENING + timedelta(minutes=minutes)


def clocked(key: str, second: float, number: int = 1, map_name: str = "supply") -> Clocked:
    """A round or record to be linked, ``second`` seconds after the evening's begin."""
    return Clocked(key, map_name, number, at(second / 60))


def make_record(key: str, second: float, number: int = 1, map_name: str = "supply", **values: Any) -> FiledRecord:
    """A record of our own script, of a round of 5 minutes that ended then."""
    known: dict[str, Any] = {
        "started_at": at(second / 60 - 5),
        "duration_seconds": 300.0,
        "limit_seconds": 600,
        "pause_seconds": 0,
        "pause_count": 0,
        "warmup_seconds": 3,
        "winner_side": ALLIES,
        "defender_side": AXIS,
        "end_reason": "objective",
        "surrender_side": 0,
        "script_version": "2.0.0",
        "raw": {},
        "schema": "slomix.timing/1",
        "aborted": False,
        "restarts": 0,
        "exit_print": "Wolf EndRound.",
    }
    return FiledRecord(key, TimingRecord(map_name, number, at(second / 60), **(known | values)))


def make_line(
    guid: str,
    side: int = AXIS,
    rounds: int = 0,
    kills: int = 0,
    deaths: int = 0,
    hits: int = 0,
    shots: int = 0,
    headshots: int = 0,
    weapons: dict[str, WeaponCounts] | None = None,
    name: str | None = None,
    **tail: Any,
) -> PlayerLine:
    """One player with an MP40 (or ``weapons``), ten minutes there; ``tail``: any field by its name."""
    if weapons is None:
        weapons = {"mp40": WeaponCounts(hits, shots, kills, deaths, headshots)}
    values: dict[str, float | None] = dict.fromkeys(TAIL_FIELDS, 0)
    assert not tail.keys() - values.keys()
    values |= {"minutes_played": 10.0} | tail
    return PlayerLine(guid, guid.title() if name is None else name, rounds, side, weapons, values)


def lobby(
    rounds: int = 0, swap: bool = False, names: Iterable[str] = NAMES[:4], **values: Any
) -> tuple[PlayerLine, ...]:
    """Players with the same numbers; the first half stands on the Axis side, or on the other after ``swap``."""
    names = tuple(names)
    return tuple(
        make_line(name, side=AXIS if (i < len(names) / 2) != swap else ALLIES, rounds=rounds, **values)
        for i, name in enumerate(names)
    )


def swapped(sides: Mapping[str, int]) -> dict[str, int]:
    """The sides of a match's other round: everybody changes."""
    return {guid: other_side(side) for guid, side in sides.items()}


def make_header(
    number: int = 1,
    map_name: str = "supply",
    winner: int | None = ALLIES,
    limit: str = "12:00",
    attack_time: str = "8:00",
    playtime: str | None = None,
    defender: int | None = AXIS,
) -> Header:
    """By default a round 1 whose attackers (Allies) took 8 of 12 minutes."""
    return Header("A server", map_name, "legacy3", number, defender, winner, limit, attack_time, playtime)


def make_stats(*players: PlayerLine, tail_fields: int = 38, **header: Any) -> StatsFile:
    """A stats file; of fewer than 38 ``tail_fields`` the missing ones are None."""
    missing = dict.fromkeys(set(TAIL_FIELDS) - set(LAYOUTS[tail_fields]))
    lines = tuple(replace(line, tail=line.tail | missing) for line in players or lobby())
    return StatsFile(make_header(**header), lines, tail_fields)


def with_file_guids(stats: StatsFile) -> StatsFile:
    """The stats with GUIDs as files have them: ``ADA00000`` for ada."""
    lines = tuple(replace(line, guid=f"{line.guid.upper():0<8}") for line in stats.players)
    return replace(stats, players=lines)


def make_round(
    minutes: float, number: int = 1, *players: PlayerLine, map_name: str = "supply", **header: Any
) -> FiledRound:
    """A round whose file stamp is ``minutes`` into the evening."""
    stamp = at(minutes)
    key = f"test:{stamp:%Y-%m-%d-%H%M%S}-{map_name}-round-{number}"
    return FiledRound(key, stamp, number, make_stats(*players, number=number, map_name=map_name, **header))


def first_round(minutes: float, **header: Any) -> FiledRound:
    """A round 1 of four players, attacked in 8:00."""
    return make_round(minutes, 1, *lobby(rounds=0, kills=5, damage_given=500, minutes_played=8.0), **header)


def second_round(minutes: float, **header: Any) -> FiledRound:
    """The round 2 that goes on from ``first_round``: sides swapped, time to beat 8:00, beaten."""
    players = lobby(rounds=1, swap=True, kills=9, damage_given=900, minutes_played=14.0)
    return make_round(minutes, 2, *players, **{"limit": "8:00", "attack_time": "6:00"} | header)


def place(*rounds: FiledRound, seen: tuple[SecondRoundSeen, ...] = ()) -> list[Placed]:
    """What became of ``rounds``, in the order given."""
    placed = pair_rounds(rounds, second_rounds_seen=seen)
    return [placed[entry.key] for entry in rounds]


def statuses(*rounds: FiledRound) -> list[Status]:
    return [placed.status for placed in place(*rounds)]


def on_the_other_side(stats: StatsFile, guids: Collection[str]) -> StatsFile:
    """The file with these players on the other side."""
    lines = (replace(line, side=other_side(line.side)) if line.guid in guids else line for line in stats.players)
    return replace(stats, players=tuple(lines))


def round_two(first: PlayerLine, second: PlayerLine, tail_fields: int = 38) -> list[RoundPlayer]:
    """The own numbers of round 2 of one player who was in both files."""
    return round_two_players(
        make_stats(first, tail_fields=tail_fields), make_stats(second, number=2, tail_fields=tail_fields)
    )
