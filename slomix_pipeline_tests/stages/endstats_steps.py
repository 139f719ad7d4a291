"""Steps of the tests of endstats files: rounds of two players with their awards, and what became of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import stats_file_name
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, PlayerLine
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline_tests.building import EVENING, make_line, make_round
from slomix_pipeline_tests.pipeline_fixtures import Pipeline

HOURS_AGO = datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(hours=3)
ADA, BOB, BOT = "A1B2C3D4", "0F0E0D0C", "OMNIBOT0"
GUID = {name: name + "0" * 24 for name in (ADA, BOB, BOT)}
WHOLE = f"""\
Most damage given\tAda\t3214
Most revives\tb|b.\t4
Most playtime denied\tnobody\t113 seconds
VS_HEADER\tAda\t{GUID[ADA]}
b|b.\t5\t4
VS_HEADER\tb|b.\t{GUID[BOB]}
Ada\t4\t5
"""
SPLIT_AT = WHOLE.index("VS_HEADER\tb|b.")
BROKEN = WHOLE.replace("Most revives\tb|b.\t4", "Most revives\tb|b.")


def players(number: int, xp: float = 0, kills: int = 5) -> tuple[PlayerLine, ...]:
    """Ada and b|b., who kill each other so many times a round and change sides after the first."""
    counts: dict[str, Any] = {
        "rounds": number - 1,
        "kills": kills * number,
        "deaths": kills * number,
        "damage_given": 500 * number,
        "damage_received": 500 * number,
        "minutes_played": 6.0 * number + 2,
        "xp": xp,
    }
    return (
        make_line(ADA, name="^1A^7da", side=AXIS if number == 1 else ALLIES, **counts),
        make_line(BOB, name="b|b.", side=ALLIES if number == 1 else AXIS, **counts),
    )


def a_round(minutes: float = 0, number: int = 1, map_name: str = "supply", kills: int = 5) -> FiledRound:
    times = {"limit": "12:00", "attack_time": "8:00"} if number == 1 else {"limit": "8:00", "attack_time": "6:00"}
    # No two rounds have the same bytes: the second would be known as a copy of the first.
    return make_round(minutes, number, *players(number, minutes, kills), map_name=map_name, **times)


def names(entry: FiledRound, seconds: float = -2) -> tuple[str, str]:
    """Names of a round's stats file and of an endstats file so long after it."""
    stamp = HOURS_AGO + (entry.stamp - EVENING)
    other = stats_file_name(stamp + timedelta(seconds=seconds), entry.map_name, entry.number)
    return stats_file_name(stamp, entry.map_name, entry.number), other.replace(".txt", "-endstats.txt")


def put_stats(pipeline: Pipeline, entry: FiledRound) -> str:
    return pipeline.put(names(entry)[0], gamestats.dump(entry.stats))


def put_endstats(pipeline: Pipeline, entry: FiledRound, text: str = WHOLE, seconds: float = -2) -> str:
    return pipeline.put(names(entry, seconds)[1], text.encode())


def look(pipeline: Pipeline) -> None:
    """A look at the folder that may find nothing to run."""
    pipeline.cursors.clear()
    pipeline.work_off(pipeline.tick(), "ingest_rounds")


def rework(pipeline: Pipeline) -> list[str]:
    """Looks, and runs again what is behind. Returns what was."""
    look(pipeline)
    behind = pipeline.stale()
    for key in behind:
        pipeline.work(key)
    return behind


def awards(pipeline: Pipeline, key: str) -> list[tuple[str | None, str | None, float | None]]:
    """What was counted, who got it and the number, of every award of a round."""
    found = pipeline.rows("select award, guid, value from award where round_key = %s order by position", key)
    return [(row["award"], row["guid"], row["value"]) for row in found]


def duels(pipeline: Pipeline, key: str) -> list[tuple[str | None, str | None, int, int]]:
    found = pipeline.rows("select * from versus where round_key = %s order by position", key)
    return [(row["guid"], row["opponent_guid"], row["kills"], row["deaths"]) for row in found]


def link_of(pipeline: Pipeline, key: str) -> tuple[str, list[str]]:
    """A round's link class and its files."""
    (link,) = pipeline.rows("select link_class from round_endstats where round_key = %s", key)
    found = pipeline.rows("select file_key from endstats_file where round_key = %s order by 1", key)
    return link["link_class"], [row["file_key"] for row in found]


def check_of(pipeline: Pipeline, key: str) -> dict[str, Any]:
    (row,) = pipeline.rows("select * from check_result where partition_key = %s and check_name = 'endstats_link'", key)
    return row


def why_without(pipeline: Pipeline) -> dict[str, str]:
    return {row["round_key"]: row["reason"] for row in pipeline.rows("select * from round_without_endstats")}


AWARDS = [("damage_given", ADA, 3214), ("revives_given", BOB, 4), ("denied_playtime", None, 113)]
DUELS = [(ADA, BOB, 5, 4), (BOB, ADA, 4, 5)]
NONE_NEAR = "no endstats file within 30 s of the file stamp"


def keys_of(entry: FiledRound) -> tuple[str, ...]:
    """Keys of a round and of its endstats file."""
    return tuple(f"main:{name.removesuffix('.txt')}" for name in names(entry))
