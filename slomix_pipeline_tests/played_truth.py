"""The stats files of rounds played on the fake engine, and what in them is not as it was played.

Belongs here: which file is of which round, and the comparison with the truth, through our own readers.
Does not belong here: playing (``lua_fixtures``), what is true (``slomix_pipeline.simulator.engine``).
"""

from collections.abc import Sequence

from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import FileKind, FileName, parse_file_name
from slomix_pipeline.formats.gamestats import PlayerLine, WeaponCounts
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.rules.differential import RoundPlayer, round_one_players, round_two_players
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW
from slomix_pipeline.rules.policy import COUNTERS
from slomix_pipeline.rules.rounds import SessionRounds, work_out
from slomix_pipeline.rules.values import FiledRound
from slomix_pipeline.simulator.engine.counting import Numbers, numbers_of
from slomix_pipeline.simulator.engine.game import GameEngine
from slomix_pipeline.simulator.engine.host import ALLIES
from slomix_pipeline.simulator.engine.truth import TrueRound
from slomix_pipeline_tests.lua_fixtures import guid as guid_of

_WRITTEN_WITHIN = 4  # seconds of the round's end


def folder_files(engine: GameEngine, kind: FileKind = FileKind.STATS) -> dict[str, bytes]:
    """All files of a kind in the folder of the stats files, oldest first."""
    folder = engine.folder / "gamestats"
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return {name: (folder / name).read_bytes() for name in names if parse_file_name(name).kind is kind}


def file_of(engine: GameEngine, played: TrueRound, kind: FileKind = FileKind.STATS) -> tuple[FileName, bytes] | None:
    """The one file of a round, by map, number and the clock; None when there is none."""
    found = []
    for name, data in folder_files(engine, kind).items():
        parsed = parse_file_name(name)
        assert parsed.stamp is not None
        late = parsed.stamp.replace(tzinfo=engine.zone).timestamp() - played.end_unix
        if (parsed.map_name, parsed.number) == (played.map_name, played.number) and 0 <= late <= _WRITTEN_WITHIN:
            found.append((parsed, data))
    assert len(found) <= 1, f"{len(found)} files of one round"
    return found[0] if found else None


def filed(engine: GameEngine, played: TrueRound) -> FiledRound:
    """The stats file of a round as the pipeline has it."""
    found = file_of(engine, played)
    assert found is not None, "no stats file"
    name, data = found
    assert name.stamp is not None and name.number is not None
    stamp = name.stamp.replace(tzinfo=engine.zone)
    return FiledRound(f"main:{name.stem}", stamp, name.number, gamestats.parse(data))


def rounds_with_files(engine: GameEngine) -> list[TrueRound]:
    """Who plays and is not restarted has a file; of rounds without a shot there is none."""
    return [
        played
        for played in engine.rounds
        if played.ended_by != "map_restart" and any(one.weapons for one in numbers_of(played).values())
    ]


def check_all_files(engine: GameEngine) -> None:
    """Every round has its one file or rightly none, and all in it is as it was played."""
    assert engine.errors == [] and engine.returned == []
    expected = rounds_with_files(engine)
    assert len(folder_files(engine)) == len(expected)
    before: FiledRound | None = None
    for played in engine.rounds:
        if played not in expected:
            continue
        entry = filed(engine, played)
        first = before if played.number == 2 else None
        assert untrue(entry, first, played) == []
        before = entry if played.number == 1 and not played.aborted else None


def own_numbers(entry: FiledRound, first: FiledRound | None) -> list[RoundPlayer]:
    """The players of a round with its own numbers. ``first``: the round 1 it goes on from."""
    if first is None:
        return round_one_players(entry.stats)
    return round_two_players(first.stats, entry.stats)


def untrue(entry: FiledRound, first: FiledRound | None, played: TrueRound) -> list[str]:
    """What is not as it was played, one line each."""
    return untrue_numbers(own_numbers(entry, first), entry.stats.players, played)


def untrue_numbers(found: Sequence[RoundPlayer], lines: Sequence[PlayerLine], played: TrueRound) -> list[str]:
    """The same, of players whose own numbers are known already."""
    truth = numbers_of(played)
    shown = {player.guid: player for player in found}
    armed = {guid[:8] for guid, numbers in truth.items() if numbers.weapons}
    wrong = [f"{guid} is missing" for guid in armed - shown.keys()]
    for guid, person in played.players.items():
        player = shown.get(guid[:8])
        if player is not None:
            wrong += _untrue_of(player, truth.get(guid, Numbers()), played, guid)
            line = next(line for line in lines if line.guid == guid[:8])
            if (line.side, line.clean_name) != (person.team, _clean(person.name)):
                wrong.append(f"{guid[:8]}: {line.clean_name!r} on side {line.side}")
    return wrong


def _clean(name: str) -> str:
    return clean_name(name.encode("latin-1").decode("utf-8", "surrogateescape"))


def _untrue_of(player: RoundPlayer, truth: Numbers, played: TrueRound, guid: str) -> list[str]:
    person = played.players[guid]
    expected: dict[str, object] = {name: truth.counters[name] for name in COUNTERS}
    expected["weapons"] = {w: c for w, c in truth.weapons.items() if c != WeaponCounts(0, 0, 0, 0, 0)}
    actual: dict[str, object] = {**player.counters, "weapons": player.weapons}
    wrong = [
        f"{guid[:8]}: {name} is {actual[name]}, was {value}"
        for name, value in expected.items()
        if actual[name] != value
    ]
    seconds = (
        ("played", player.seconds_played, person.team_ms, 6),
        ("dead", player.seconds_dead_raw, person.dead_ms, 3),
    )
    for what, told, ms, within in seconds:
        if told is None or abs(told - ms / 1000) > within:
            wrong.append(f"{guid[:8]}: {told} s {what}, were {ms / 1000}")
    return wrong


def worked_out(engine: GameEngine) -> tuple[SessionRounds, list[FiledRound]]:
    """What the pipeline's rules make of all rounds that left a file."""
    rounds = [filed(engine, played) for played in engine.rounds if played.ended_by != "map_restart"]
    return work_out(rounds, DEFAULT_WINDOW, ()), rounds


def end(engine: GameEngine, winner: int = ALLIES, text: str = "Wolf EndRound.") -> None:
    engine.end_round(text, winner, intermission=5)


def line_of(engine: GameEngine, played: TrueRound, number: int) -> PlayerLine:
    """The line of the player with ``lua_fixtures.guid(number)``."""
    (found,) = [line for line in filed(engine, played).stats.players if line.guid == guid_of(number)[:8]]
    return found


def counted(engine: GameEngine, played: TrueRound, number: int, *names: str) -> list[float | None]:
    return [line_of(engine, played, number).tail[name] for name in names]
