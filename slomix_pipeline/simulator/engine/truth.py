"""What was really played on the engine: one log of events per round, and what is counted frame by frame.

Belongs here: the values. What they come to (sprees, assists …) is worked out afterwards, in ``counting``: never while
it happens, which is the scripts' way.
"""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "shot", "hit", "death", "back", "away", "gone", "gib", "revive", "plant", "defuse", "repair", "touch", "xp"
]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, ``ms`` of play after the round began.

    ``who`` did it, or in a death died; ``other`` is whom he did it to, or in a death the killer ("": the world).
    ``weapon`` is a slot of the engine's 28; ``friendly``: both on one side; ``wait``, ``interval``: ms to the next wave
    of the dead man's side, and from wave to wave; ``points``: damage or experience; ``by_command``: /kill.
    """

    ms: int
    kind: Kind
    who: str
    other: str = ""
    weapon: int | None = None
    points: int = 0
    head: bool = False
    friendly: bool = False
    explosive: bool = False
    by_command: bool = False
    wait: int = 0
    interval: int = 0
    own: bool = False  # a touched objective is of the own side


@dataclass
class TruePlayer:
    """What one person did in one round; ``dead_ms`` leaves pauses out, ``waits`` are from death to spawn, in ms.

    ``team_ms``: on a side; ``alive_ms``: of that, alive and in the field. ``name`` and ``team``: the last he had.
    """

    guid: str
    spawns: int = 0
    deaths: int = 0
    dead_ms: int = 0
    waits: list[int] = field(default_factory=list)
    team_ms: int = 0
    alive_ms: int = 0
    name: str = ""
    team: int = 0


@dataclass
class TruePause:
    """Unix seconds of the first and last frame in it, and its length in ms."""

    start: int
    end: int
    ms: int = 0


@dataclass
class TrueRound:
    """What was really played. ``winner`` and ``defender`` are sides, unix times whole seconds, ``limit`` minutes."""

    map_name: str
    number: int
    start_unix: int
    warmup_seconds: int
    defender: int = 0
    limit: float = 0
    end_unix: int = 0
    played_ms: int = 0
    winner: int = 0
    exit_text: str | None = None
    ended_by: Literal["exit", "map_restart", "map_change"] = "exit"
    pauses: list[TruePause] = field(default_factory=list)
    players: dict[str, TruePlayer] = field(default_factory=dict)
    axis: list[str] = field(default_factory=list)
    allies: list[str] = field(default_factory=list)
    log: list[Event] = field(default_factory=list)

    @property
    def running(self) -> bool:
        """Whether the engine has not yet printed that it is over."""
        return self.exit_text is None

    @property
    def aborted(self) -> bool:
        return self.ended_by != "exit"
