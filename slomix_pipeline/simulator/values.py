"""What is true of a simulated evening: people, rounds, matches, and the files each round leaves.

Belongs here: the values, and what follows from them (names of files, winner, score).
Does not belong here: how a round is played (``fighting``), how files come about (``serverfiles``), a clock.
The truth is kept apart from ``rules`` on purpose: tests compare the two.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Literal, NamedTuple

from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.filenames import gametime_file_name, stats_file_name
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, StatsFile, WeaponCounts
from slomix_pipeline.formats.gametimes import TimingRecord

Team = Literal["A", "B"]
Work = Literal["plant", "defuse", "repair"]
DeedKind = Literal["join", "leave", "switch", "shoot", "kill", "kill_self", "back", "gib"] | Work
Kit = Literal["medic", "engineer", "fieldops", "covert", "soldier"]

NO_GUID = "unknown"  # what a client without one sends
BOT_GUID = "OMNIBOT"  # how a bot's GUID begins; a slot of two digits and zeros follow
STATS_DELAY = timedelta(seconds=3)  # the stats script saves 3 s after the round's end, and stamps that moment


@dataclass(frozen=True, slots=True)
class Fighter:
    """A person: ``guid32`` as the client sends it, raw ``name`` with colour codes, how well he fights and aims."""

    guid32: str
    name: str
    team: Team
    kit: Kit
    skill: float
    aim: float

    @property
    def guid(self) -> str:
        """The 8 characters that stats files know him by; bots share theirs, and some have none."""
        return "" if self.guid32 == NO_GUID else self.guid32[:8]

    @property
    def is_bot(self) -> bool:
        return self.guid32.startswith(BOT_GUID)

    @property
    def key(self) -> str:
        """Who he is in the truth: a person's GUID, or his name; a bot's name beside the GUID that others have too."""
        return f"{self.guid} {self.name}" if self.is_bot else self.guid or self.name


class Deed(NamedTuple):
    """One thing that was done in a round, ``second`` seconds after it began; by ``who``, to ``other`` (keys).

    ``shoot``: ``shots`` with ``weapon``, of which ``hits`` hit, ``heads`` of these heads, for ``points`` in all;
    ``kill``: whom he hit last is dead, by ``weapon``; ``back``: plays again, revived by ``other`` or of himself;
    ``switch``: goes over to the other side and is dead.
    """

    second: int
    kind: DeedKind
    who: str
    other: str = ""
    weapon: str = ""
    shots: int = 0
    hits: int = 0
    heads: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True)
class TruePlayer:
    """What one player did in one round, and nothing of any other round. ``side``: the last he stood on.

    ``counters`` has every whole-number tail field by name. ``seconds_played`` is a multiple of 6, the resolution
    of stats files; ``seconds_dead`` is not. ``waits``: seconds of each death that ended before the round did;
    ``falls``: deaths of any kind; ``victims``: kills by the victim's key. A knife's shots can be below 0: the engine
    took back swings counted in round 1.
    """

    fighter: Fighter
    side: int
    weapons: Mapping[str, WeaponCounts]
    counters: Mapping[str, int]
    seconds_played: int
    seconds_dead: int
    waits: tuple[int, ...]
    falls: int
    victims: Mapping[str, int]

    def _total(self, column: str) -> int:
        return sum(getattr(counts, column) for counts in self.weapons.values())

    @property
    def guid(self) -> str:
        return self.fighter.guid

    @property
    def name(self) -> str:
        return self.fighter.name

    @property
    def kills(self) -> int:
        return self._total("kills")

    @property
    def deaths(self) -> int:
        return self._total("deaths")

    @property
    def hits(self) -> int:
        return self._total("hits")

    @property
    def shots(self) -> int:
        return self._total("shots")

    @property
    def headshots(self) -> int:
        """Hits on heads, not kills."""
        return self._total("headshots")

    @property
    def damage_given(self) -> int:
        return self.counters["damage_given"]

    @property
    def damage_received(self) -> int:
        return self.counters["damage_received"]

    @property
    def gibs(self) -> int:
        return self.counters["gibs"]

    @property
    def self_kills(self) -> int:
        return self.counters["self_kills"]

    @property
    def revives_given(self) -> int:
        return self.counters["revives_given"]

    @property
    def xp(self) -> int:
        return self.counters["xp"]


@dataclass(frozen=True)
class SimRound:
    """One round. ``ended_at`` is UTC, ``zone`` the game server's; durations are whole seconds, without the fraction.

    ``surrender_side`` is 0 when nobody gave up. ``limit_seconds`` of a round 2 is the time to beat. ``number`` is the
    round it really was, ``players`` are who played, by key. ``status``: what has to become of its file among the
    others that are left of the evening: ``complete``, ``r1_only``, ``r2_only``, ``aborted`` or ``superseded``; of an
    attempt that a reset of the match ended, ``restarted``: it has none.
    ``deeds``: all that was done, in order; it comes to what ``players`` did.
    """

    map_name: str
    number: int
    ended_at: datetime
    zone: tzinfo
    duration_seconds: int
    limit_seconds: int
    defender_side: int
    winner_side: int
    surrender_side: int
    players: Mapping[str, TruePlayer]
    stats: StatsFile
    status: str = "complete"
    line_end: str = "\n"
    deeds: tuple[Deed, ...] = ()

    @property
    def label(self) -> int:
        """The round number in its files: a round that a map change cut short carries the other round's."""
        return 3 - self.number if self.status == "aborted" else self.number

    @property
    def valid(self) -> bool:
        """Whether its numbers count: a round of people, played to its end, whose numbers can be told."""
        return self.status in ("complete", "r1_only") and not any(p.fighter.is_bot for p in self.players.values())

    @property
    def stats_bytes(self) -> bytes:
        """The stats file."""
        return gamestats.dump(self.stats).replace(b"\n", self.line_end.encode())

    @property
    def attackers_side(self) -> int:
        return ALLIES if self.defender_side == AXIS else AXIS

    @property
    def attackers_won(self) -> bool:
        return self.winner_side == self.attackers_side

    @property
    def sides(self) -> dict[str, int]:
        """Who stood where, by key."""
        return {guid: player.side for guid, player in self.players.items()}

    def team_on(self, side: int) -> Team:
        """The team that stood on a side: most of those who did, for someone may have gone over to the enemy."""
        teams = Counter(player.fighter.team for player in self.players.values() if player.side == side)
        return max(teams, key=lambda team: teams[team])

    @property
    def stamp(self) -> datetime:
        """When the stats file is saved, in UTC; its name has it in local time."""
        return self.ended_at + STATS_DELAY

    @property
    def stats_name(self) -> str:
        return stats_file_name(self.stamp.astimezone(self.zone), self.map_name, self.label)

    @property
    def stem(self) -> str:
        """The round's key without the server."""
        return self.stats_name.removesuffix(".txt")

    @property
    def timing_name(self) -> str:
        return gametime_file_name(self.map_name, self.label, int(self.ended_at.timestamp()))

    @property
    def timing(self) -> TimingRecord:
        """What the timing script says of the round, its reason for the end included, which is not always right."""
        if self.duration_seconds >= 0.9 * self.limit_seconds:
            reason = "time_expired"
        else:
            reason = "surrender" if self.surrender_side else "objective"
        return TimingRecord(
            map_name=self.map_name,
            number=self.label,
            ended_at=self.ended_at,
            started_at=self.ended_at - timedelta(seconds=self.duration_seconds),
            duration_seconds=self.duration_seconds,
            limit_seconds=self.limit_seconds,
            pause_seconds=0,
            pause_count=0,
            warmup_seconds=0,
            winner_side=self.winner_side,
            defender_side=self.defender_side,
            end_reason=reason,
            surrender_side=self.surrender_side,
            script_version="1.7.2",
            raw={},
        )


@dataclass(frozen=True)
class SimMatch:
    """One play of a map: its two rounds."""

    map_name: str
    r1: SimRound
    r2: SimRound

    @property
    def winner(self) -> Literal["A", "B", "draw"]:
        """Who attacked faster: R2's attackers had R1's time to beat; a double full hold is a draw."""
        fastest = next((half for half in (self.r2, self.r1) if half.attackers_won), None)
        return fastest.team_on(fastest.attackers_side) if fastest else "draw"

    @property
    def times(self) -> tuple[int | None, int | None]:
        """Seconds of each round's attack; None where it failed."""
        r1, r2 = (half.duration_seconds if half.attackers_won else None for half in (self.r1, self.r2))
        return r1, r2


class Score(NamedTuple):
    """Map wins."""

    a: int
    b: int
    draws: int


@dataclass(frozen=True)
class Evening:
    """One gaming session, matches in play order. Team A stood on side 1 in the first valid round 1; GUIDs of 8
    characters. ``others``: rounds that left a file and belong to no complete match; ``restarted``: attempts that left
    none, because the match was reset."""

    matches: tuple[SimMatch, ...]
    team_a: frozenset[str]
    team_b: frozenset[str]
    others: tuple[SimRound, ...] = ()
    restarted: tuple[SimRound, ...] = ()

    @cached_property
    def rounds(self) -> tuple[SimRound, ...]:
        """All rounds that left a file, in play order."""
        halves = [half for match in self.matches for half in (match.r1, match.r2)]
        return tuple(sorted([*halves, *self.others], key=lambda half: half.ended_at))

    @property
    def started_at(self) -> datetime:
        """Start of the first round, UTC."""
        return (self.rounds[0].ended_at - timedelta(seconds=self.rounds[0].duration_seconds)).astimezone(UTC)

    @property
    def ended_at(self) -> datetime:
        """End of the last round, UTC."""
        return self.rounds[-1].ended_at

    @property
    def score(self) -> Score:
        wins = Counter(match.winner for match in self.matches)
        return Score(wins["A"], wins["B"], wins["draw"])
