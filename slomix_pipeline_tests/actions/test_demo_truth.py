"""What a demo compares the export of its session with: every difference from what was played is told."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from slomix_pipeline.actions.demo_truth import PlayedRound, as_simulated, differences
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.rough import play_rough_evening
from slomix_pipeline.simulator.values import Evening

NAMES = ("side", "kills", "deaths", "damage_given", "damage_received", "self_kills")


def exported(evening: Evening, rounds: Sequence[PlayedRound]) -> dict[str, Any]:
    """The export that such rounds should come to."""
    return {
        "matches": [{"map": match.map_name, "winner": match.winner} for match in evening.matches],
        "rounds": [
            {
                "key": f"demo:{order}",
                "map": one.map_name,
                "round": one.number,
                "status": one.status,
                "players": [
                    {"guid": guid, "flags": [], **dict(zip(NAMES, numbers, strict=True))}
                    for guid, numbers in one.players.items()
                ],
            }
            for order, one in enumerate(rounds)
        ],
    }


def told(change: Callable[[dict[str, Any]], object], evening: Evening) -> list[str]:
    rounds = as_simulated(evening)
    session = exported(evening, rounds)
    change(session)
    return list(differences(evening, rounds, session))


def number(session: Mapping[str, Any], status: str) -> dict[str, Any]:
    """Somebody's numbers in a round of a status."""
    players = next(one["players"] for one in session["rounds"] if one["status"] == status)
    assert isinstance(players[0], dict)
    return players[0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda s: None, []),
        (lambda s: number(s, "complete").update(kills=-1), ["numbers differ"]),
        (lambda s: number(s, "complete").update(side=None), ["numbers differ"]),
        (lambda s: number(s, "complete").update(self_kills=None), ["numbers differ"]),
        (lambda s: number(s, "complete").update(guid="00000000"), ["numbers differ"]),
        (lambda s: number(s, "aborted").update(kills=None), []),
        (lambda s: number(s, "aborted").update(kills=-1), ["numbers differ"]),
        (lambda s: s["rounds"][0].update(status="complete"), ["complete round 1, was aborted 1"]),
        (lambda s: s["rounds"].pop(), ["rounds, but"]),
        (lambda s: s["matches"].append({"map": "supply", "winner": None}), []),
        (lambda s: s["matches"].append({"map": "supply", "winner": "B"}), ["were played"]),
    ],
)
def test_every_difference_is_told(change: Callable[[dict[str, Any]], object], complaint: list[str]) -> None:
    found = told(change, play_rough_evening(3))
    assert len(found) == len(complaint) and all(part in line for part, line in zip(complaint, found, strict=True))


def test_a_plain_evening_has_its_truth_too() -> None:
    assert told(lambda session: None, play_evening(3, maps=2)) == []
