"""What was played in a demo, and where the export of its session says something else.

Belongs here: the truth of either evening (the simulator's own, or the engine's log of every shot and death where our
scripts wrote the files), in the shape in which both are compared.
Does not belong here: playing, ingesting (``demo``).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from slomix_pipeline.formats.gamestats import ALLIES, AXIS
from slomix_pipeline.formats.names import clean_name
from slomix_pipeline.simulator.engine.counting import Numbers, numbers_of
from slomix_pipeline.simulator.engine.truth import TruePlayer as LoggedPlayer
from slomix_pipeline.simulator.engine.truth import TrueRound
from slomix_pipeline.simulator.values import NO_GUID, Evening, SimRound, TruePlayer

_SIDES = {AXIS: "axis", ALLIES: "allies"}
_COMPARED = ("side", "kills", "deaths", "damage_given", "damage_received", "self_kills")


class PlayedRound(NamedTuple):
    """A round that left a file: what has to become of it, and everybody's ``_COMPARED`` by GUID, or by name without
    one."""

    map_name: str
    number: int
    status: str
    players: Mapping[str, tuple[object, ...]]


def as_simulated(evening: Evening) -> list[PlayedRound]:
    """By the simulator's own truth."""
    return [
        PlayedRound(
            one.map_name,
            one.number,
            one.status,
            {p.guid or clean_name(p.name): _simulated(p) for p in one.players.values()},
        )
        for one in evening.rounds
    ]


def as_logged(evening: Evening, rounds: Sequence[TrueRound]) -> list[PlayedRound]:
    """By the engine's log; the evening says what has to become of a file among the others."""
    filed = [one for one in rounds if one.ended_by != "map_restart"]
    return [_logged(sim_round, one) for sim_round, one in zip(evening.rounds, filed, strict=True)]


def _simulated(player: TruePlayer) -> tuple[object, ...]:
    numbers = (getattr(player, name) for name in _COMPARED[1:])
    return (_SIDES.get(player.side), *numbers)


def _logged(sim_round: SimRound, played: TrueRound) -> PlayedRound:
    truth = numbers_of(played)
    players = {
        _name_of(person): _logged_player(truth[guid], person.team)
        for guid, person in played.players.items()
        if guid in truth
    }
    return PlayedRound(played.map_name, played.number, sim_round.status, players)


def _name_of(person: LoggedPlayer) -> str:
    name = person.name.encode("latin-1").decode("utf-8", "surrogateescape")
    return clean_name(name) if person.guid == NO_GUID else person.guid[:8]


def _logged_player(numbers: Numbers, side: int) -> tuple[object, ...]:
    kills = sum(counts.kills for counts in numbers.weapons.values())
    deaths = sum(counts.deaths for counts in numbers.weapons.values())
    return (_SIDES.get(side), kills, deaths, *(numbers.counters[name] for name in _COMPARED[3:]))


def differences(evening: Evening, rounds: Sequence[PlayedRound], session: Mapping[str, Any]) -> Iterator[str]:
    """Where an exported session is not what was played, one line each. In a round that was cut short numbers may be
    unknown; wrong they may not be."""
    won = [(match.map_name, match.winner) for match in evening.matches]
    told = [(match["map"], match["winner"]) for match in session["matches"] if match["winner"] is not None]
    if won != told:
        yield f"winners {told}, but {won} were played"
    if len(rounds) != len(session["rounds"]):
        yield f"{len(session['rounds'])} rounds, but {len(rounds)} were played"
    for played, stored in zip(rounds, session["rounds"], strict=False):
        if (played.map_name, played.number, played.status) != (stored["map"], stored["round"], stored["status"]):
            yield f"{stored['key']}: {stored['status']} round {stored['round']}, was {played.status} {played.number}"
        told_players = {
            player["name"] if "no_identity" in player["flags"] else player["guid"]: tuple(map(player.get, _COMPARED))
            for player in stored["players"]
        }
        if not _agree(told_players, played.players, unknown_allowed=played.status == "aborted"):
            yield f"{stored['key']}: numbers differ from what was played"


def _agree(
    told: Mapping[str, tuple[object, ...]], true: Mapping[str, tuple[object, ...]], *, unknown_allowed: bool
) -> bool:
    return told.keys() == true.keys() and all(
        number == truth or (unknown_allowed and number is None)
        for guid, numbers in told.items()
        for number, truth in zip(numbers, true[guid], strict=True)
    )
