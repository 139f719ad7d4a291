"""An evening played once more on the stand-in of the game's engine, so that our own Lua scripts write its files.

Belongs here: turning what was done into what the engine tells the scripts. What they count is theirs, the truth stays
the evening's; counters of which no script sees an event (gibs, experience) are set in the engine as they were.
A round that is cut short is left by the command ``map``, an attempt that is restarted ends with a reset of the match,
and the engine ends a round more than once unless its time ran out, as many maps have it.
Does not belong here: the engine (``simulator.engine``), how rounds go (``matches``). Old writers, and spectators, are
none of it: whoever goes to watch leaves. A round 1 that left no file was not played for a script either.
"""

import os
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.formats.gamestats import ALLIES, AXIS, SPECTATOR
from slomix_pipeline.formats.names import encode
from slomix_pipeline.formats.weapons import WEAPONS
from slomix_pipeline.simulator.awards import ENDSTATS_DELAY
from slomix_pipeline.simulator.engine.game import ALREADY_TRIGGERED, FRAME, GameEngine
from slomix_pipeline.simulator.engine.host import CS_SEEDS, SHOTS
from slomix_pipeline.simulator.engine.people import MOD_SUICIDE, WEAPON_OF
from slomix_pipeline.simulator.engine.truth import TrueRound
from slomix_pipeline.simulator.values import STATS_DELAY, Deed, Evening, Fighter, SimRound

SCRIPTS = ("gamestats.lua", "endstats.lua", "stats_discord_webhook.lua")
_RUNTIME = "lua54"
_STEP = 1000  # ms of level time per frame: deeds happen on whole seconds
_INTERMISSION = 5  # seconds, in which all three scripts write
_COUNTDOWN = 200  # ms of the engine's own before a round begins
_TOUGH = 1_000_000  # health of who must not die before he does
_WAVES_FROM_THE_START = " ".join(["0"] * 10)
_MOD_OF = {WEAPONS[weapon]: mod for mod, weapon in reversed(WEAPON_OF.items())}


class MissingLua(SlomixError):
    """The package that runs Lua is not installed."""


class ServerFile(NamedTuple):
    """A file as it lies on the game server. ``name`` has its folder; ``written_at`` is unix time."""

    name: str
    content: bytes
    written_at: float


class PlayedRound(NamedTuple):
    """A round as the engine itself kept it, and the files that the scripts wrote of it."""

    truth: TrueRound
    files: list[ServerFile]


def play_through_lua(evening: Evening) -> Iterator[PlayedRound]:
    """An evening as the scripts of ``lua/`` write it, round by round, restarted attempts too.

    Raises:
        MissingLua: lupa is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="slomix-engine-") as home:
        engine = _start(Path(home), evening)
        seen: set[Path] = set()
        for sim_round in sorted([*evening.rounds, *evening.restarted], key=lambda one: one.ended_at):
            truth = _Round(engine, sim_round).play()
            written = {path for path in engine.folder.glob("game*/*") if path.is_file()} - seen
            moments = {path: _written_at(path.name, sim_round) for path in written}
            files = [
                ServerFile(str(path.relative_to(engine.folder)), path.read_bytes(), moments[path])
                for path in sorted(written, key=lambda path: moments[path])
            ]
            yield PlayedRound(truth, files)
            seen |= written


def write_evening_through_lua(directory: Path, evening: Evening) -> list[TrueRound]:
    """Writes all files of an evening below ``directory``, with the times they would have on the game server."""
    rounds = []
    for played in play_through_lua(evening):
        rounds.append(played.truth)
        for file in played.files:
            path = directory / file.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
            os.utime(path, (file.written_at, file.written_at))
    return rounds


def _start(home: Path, evening: Evening) -> GameEngine:
    scripts = [bundled_folder("lua") / name for name in SCRIPTS]
    first = evening.rounds[0]
    try:
        engine = GameEngine(_RUNTIME, home, scripts, unix=int(evening.started_at.timestamp()) - 60, zone=first.zone)
    except ModuleNotFoundError as missing:
        raise MissingLua("the scripts need lupa, which runs Lua and is not installed: pip install lupa") from missing
    engine.strings[CS_SEEDS] = _WAVES_FROM_THE_START
    engine.cvars |= {"sv_hostname": first.stats.header.server_name, "sv_maxclients": "64"}
    (engine.folder / "slomix_config.lua").write_text('return { server_id = "demo" }')
    return engine


def _written_at(name: str, sim_round: SimRound) -> float:
    """When a file is there: what tells of a round that was cut short at once."""
    delays = {} if sim_round.status == "aborted" else {FileKind.STATS: STATS_DELAY, FileKind.ENDSTATS: ENDSTATS_DELAY}
    delay = delays.get(parse_file_name(name).kind)
    return (sim_round.ended_at + delay if delay else sim_round.ended_at).timestamp()


class _Round:
    """One round on the engine."""

    def __init__(self, engine: GameEngine, sim_round: SimRound) -> None:
        self.engine = engine
        self.sim_round = sim_round
        self.fighters = {key: player.fighter for key, player in sim_round.players.items()}

    def play(self) -> TrueRound:
        """From the warm-up to the intermission, or to where the map changed or the match was reset."""
        engine, sim_round = self.engine, self.sim_round
        begins = sim_round.ended_at.timestamp() - sim_round.duration_seconds
        limit = f"{sim_round.limit_seconds / 60:f}"
        second = sim_round.number == 2
        engine.cvars |= {"g_customconfig": sim_round.stats.header.config} | ({"g_currentround": "1"} if second else {})
        engine.load_map(sim_round.map_name, limit, sim_round.defender_side, restart=int(second))
        self._gather()
        engine.unix_ms = round(begins * 1000) - _COUNTDOWN
        truth = engine.begin_play()
        for second, deeds in groupby(sim_round.deeds, key=lambda deed: deed.second):
            self._wait_until(second * 1000)
            for deed in deeds:
                self._do(deed)
        self._end()
        return truth

    def _wait_until(self, ms: int) -> None:
        assert self.engine.round is not None
        while (rest := ms - self.engine.round.played_ms) > 0:
            self.engine.frame(min(rest, _STEP))

    # -- people

    def _slot_of(self, key: str) -> int | None:
        guid = self.fighters[key].guid32
        return next((slot for slot, client in self.engine.clients.items() if client.guid == guid), None)

    def _gather(self) -> None:
        """Who plays from the start on is there, on his side and under his name; nobody else."""
        there = {deed.who for deed in self.sim_round.deeds if deed.kind == "join" and deed.second == 0}
        guids = {self.fighters[key].guid32 for key in there}
        for slot in [slot for slot, client in self.engine.clients.items() if client.guid not in guids]:
            self.engine.disconnect(slot)
        for key in sorted(there):
            self._join(key)

    def _join(self, key: str) -> None:
        fighter, side = self.fighters[key], self._first_side(key)
        slot = self._slot_of(key)
        if slot is None:
            slot = min(set(range(64)) - self.engine.clients.keys())
            self.engine.connect(slot, _raw(fighter), fighter.guid32, bot=fighter.is_bot)
        client = self.engine.clients[slot]
        client.name, client.side = _raw(fighter), SPECTATOR
        self.engine.set_team(slot, side)
        self._back(slot)

    def _first_side(self, key: str) -> int:
        """Where someone begins who may go over to the enemy."""
        side = self.sim_round.players[key].side
        switches = sum(deed.kind == "switch" for deed in self.sim_round.deeds if deed.who == key)
        return ALLIES + AXIS - side if switches % 2 else side

    def _back(self, slot: int, medic: int | None = None) -> None:
        if medic is None:
            self.engine.respawn(slot)
        else:
            self.engine.revive(medic, slot)
        self.engine.clients[slot].health = _TOUGH

    # -- deeds

    def _do(self, deed: Deed) -> None:
        slot = self._slot_of(deed.who)
        other = self._slot_of(deed.other) if deed.other else None
        if deed.kind == "join":
            if deed.second:
                self._join(deed.who)
            slot = self._slot_of(deed.who)
            assert slot is not None
            self.engine.clients[slot].health = _TOUGH
            return
        assert slot is not None
        if deed.kind == "leave":
            self._set_experience(deed.who)
            self.engine.disconnect(slot)
        elif deed.kind == "switch":
            self.engine.set_team(slot, ALLIES + AXIS - self.engine.clients[slot].side)
        elif deed.kind == "shoot":
            self._shoot(deed, slot, other)
        elif deed.kind == "kill":
            assert other is not None
            self.engine.die(other, slot, _MOD_OF[deed.weapon])
        elif deed.kind == "kill_self":
            self.engine.kill(slot, slot, MOD_SUICIDE)
        elif deed.kind == "back":
            self._back(slot, other)
        elif deed.kind == "gib":
            assert other is not None
            friendly = self.engine.clients[slot].side == self.engine.clients[other].side
            self.engine.clients[slot].session["team_gibs" if friendly else "gibs"] += 1
        else:
            {"plant": self.engine.plant, "defuse": self.engine.defuse, "repair": self.engine.repair}[deed.kind](slot)

    def _shoot(self, deed: Deed, slot: int, target: int | None) -> None:
        """Heads first, then bodies, then what missed; below 0 the engine takes back shots at bodies."""
        weapons = self.engine.clients[slot].weapons
        left = deed.points
        for number in range(deed.hits):
            assert target is not None
            head = number < deed.heads
            points = left // (deed.hits - number)
            self.engine.damage(target, slot, points, _MOD_OF[deed.weapon], head=head)
            left -= points
        weapons[WEAPONS.index(deed.weapon)][SHOTS] += deed.shots - deed.hits

    def _set_experience(self, key: str) -> None:
        slot = self._slot_of(key)
        if slot is not None:
            self.engine.clients[slot].xp = self.sim_round.players[key].xp

    # -- the end

    def _end(self) -> None:
        sim_round, engine = self.sim_round, self.engine
        for key in self.fighters:
            self._set_experience(key)
        if sim_round.status in ("aborted", "restarted"):
            self._wait_until(sim_round.duration_seconds * 1000)
            if sim_round.status == "aborted":
                engine.load_map(sim_round.map_name)
            else:
                engine.restart_map(reset_match=True)
            return
        self._wait_until(sim_round.duration_seconds * 1000 - FRAME)
        again = f"Wolf EndRound. {ALREADY_TRIGGERED}"
        if sim_round.surrender_side:
            caller = next(slot for slot, client in engine.clients.items() if client.side == sim_round.surrender_side)
            engine.client_command(caller, "callvote", "surrender")
            engine.surrender(sim_round.surrender_side, _INTERMISSION, then=again)
        elif sim_round.attackers_won:
            engine.end_round("Wolf EndRound.", sim_round.winner_side, _INTERMISSION, then=again)
        else:
            engine.end_round("Timelimit hit.", sim_round.winner_side, _INTERMISSION)


def _raw(fighter: Fighter) -> str:
    """A name as the engine has it: bytes."""
    return encode(fighter.name).decode("latin-1")
