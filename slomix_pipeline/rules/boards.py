"""The boards: what each of them ranks, and how much somebody must have played to stand on it.

Belongs here: titles, units, thresholds. Does not belong here: the sums and ratios themselves (``sql/views``).
"""

from dataclasses import dataclass
from enum import StrEnum

MIN_ROUNDS = 10  # the community's
MIN_DAMAGE = 300  # likewise: who gave less was hardly there


class BoardName(StrEnum):
    """Every board there is, as commands and the function ``board_parts`` have it."""

    KILLS = "kills"
    KD = "kd"
    DPM = "dpm"
    ACCURACY = "accuracy"
    HEADSHOT_PERCENT = "headshot_percent"
    EFFICIENCY = "efficiency"
    ROUNDS = "rounds"
    REVIVES_GIVEN = "revives_given"
    GIBS = "gibs"
    OBJECTIVES = "objectives"
    MULTIKILLS = "multikills"


@dataclass(frozen=True)
class Board:
    """A board. ``formula`` says what is ranked; ``volume``: what its ratio is over, of which ``volume_per_round`` are
    asked for each of the rounds that somebody needs at least."""

    name: BoardName
    title: str
    formula: str
    decimals: int = 0
    unit: str = ""
    volume: str | None = None
    volume_per_round: int = 0


@dataclass(frozen=True)
class Threshold:
    """What somebody needs to stand on a board. ``volume``: of what its ratio is over; at least 1 of a ratio."""

    rounds: int
    damage: int
    volume: int


BOARDS = {
    board.name: board
    for board in (
        Board(BoardName.KILLS, "Kills", "enemies killed"),
        Board(BoardName.KD, "K/D", "kills / deaths", 2, volume="deaths"),
        Board(BoardName.DPM, "Damage per minute", "damage given per minute there", 1, volume="seconds"),
        Board(BoardName.ACCURACY, "Accuracy", "hits / shots, all weapons", 1, " %", "shots", 100),
        Board(BoardName.HEADSHOT_PERCENT, "Headshots", "hits on heads / hits", 1, " %", "hits", 50),
        Board(BoardName.EFFICIENCY, "Efficiency", "kills / (kills + deaths)", 1, " %", "deaths"),
        Board(BoardName.ROUNDS, "Rounds", "rounds played"),
        Board(BoardName.REVIVES_GIVEN, "Revives", "players revived, where files know it"),
        Board(BoardName.GIBS, "Gibs", "bodies gibbed"),
        Board(BoardName.OBJECTIVES, "Objectives", "objectives taken or brought back, dynamites planted or defused"),
        Board(BoardName.MULTIKILLS, "Multikills", "chains of two and more kills"),
    )
}


def threshold(board: Board, min_rounds: int = MIN_ROUNDS) -> Threshold:
    """What somebody needs to stand on a board when at least ``min_rounds`` rounds are asked for."""
    least = 0 if board.volume is None else 1  # a ratio over nothing is none
    return Threshold(min_rounds, MIN_DAMAGE, max(board.volume_per_round * min_rounds, least))


def threshold_text(board: Board, needed: Threshold) -> str:
    """The same in words: ``from 10 rounds, 300 damage and 1000 shots``."""
    parts = [f"{needed.rounds} round{'' if needed.rounds == 1 else 's'}", f"{needed.damage} damage"]
    if board.volume_per_round:
        parts.append(f"{needed.volume} {board.volume}")
    return f"from {', '.join(parts[:-1])} and {parts[-1]}"
