"""A game server's engine as the Lua scripts of ``lua/`` see it: callbacks, the ``et`` table, clocks, files.

Matches are played on it by events; beside them it keeps what was really played (``TrueRound``), counted frame by
frame and not in the scripts' own way. As in the engine, every script is a Lua state of its own, all of them end and
start anew at each map load and map_restart, and a value returned from some callbacks keeps the event from later ones.
Text is bytes in Latin-1 on both sides, so that names may hold any byte.
"""

import importlib
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

AXIS, ALLIES, SPECTATOR = 1, 2, 3
INITIALIZE, PLAYING, COUNTDOWN, WARMUP, INTERMISSION = -1, 0, 1, 2, 3
FRAME = 50  # ms of level time
MAX_CLIENTS = 64
WORLD = 1022
PAUSE_BIT, OTHER_TOGGLE = 16, 1
LIMBO = 0x4000
MOD_MP40, MOD_SUICIDE, MOD_SWITCHTEAM = 8, 33, 59
RUNTIMES = ("lua53", "lua54", "luajit21")

CONSTANTS = {
    "GS_INITIALIZE": -1, "GS_PLAYING": 0, "GS_WARMUP_COUNTDOWN": 1, "GS_WARMUP": 2, "GS_INTERMISSION": 3,
    "TEAM_FREE": 0, "TEAM_AXIS": 1, "TEAM_ALLIES": 2, "TEAM_SPECTATOR": 3, "CON_CONNECTED": 2,
    "FS_READ": 0, "FS_WRITE": 1, "FS_APPEND": 2, "CS_VOTE_TIME": 6, "CS_LEVEL_START_TIME": 11,
    "CS_MULTI_INFO": 13, "CS_MULTI_MAPWINNER": 14, "CS_SERVERTOGGLES": 32, "CV_SVS_PAUSE": 16, "MAX_CLIENTS": 64,
}  # fmt: skip
CS_VOTE_TIME, CS_LEVEL_START, CS_INFO, CS_WINNER, CS_TOGGLES = 6, 11, 13, 14, 32

# What the engine takes as "handled": the event goes to no later script.
_ANY_VALUE_STOPS = {"et_Obituary", "et_ClientConnect"}
_ONE_STOPS = {"et_ClientCommand", "et_ConsoleCommand", "et_Damage", "et_WeaponFire"}


@dataclass
class TruePlayer:
    """What one person did in one round; ``dead_ms`` leaves pauses out, ``waits`` are from death to spawn, in ms."""

    guid: str
    spawns: int = 0
    deaths: int = 0
    dead_ms: int = 0
    waits: list[int] = field(default_factory=list)


@dataclass
class TruePause:
    """Unix seconds of the first and last frame in it, and its length in ms."""

    start: int
    end: int
    ms: int = 0


@dataclass
class TrueRound:
    """What was really played. ``winner`` and ``defender`` are sides; unix times in whole seconds."""

    map_name: str
    number: int
    start_unix: int
    warmup_seconds: int
    end_unix: int = 0
    played_ms: int = 0
    winner: int = 0
    exit_text: str | None = None
    ended_by: Literal["exit", "map_restart", "map_change"] = "exit"
    pauses: list[TruePause] = field(default_factory=list)
    players: dict[str, TruePlayer] = field(default_factory=dict)
    axis: list[str] = field(default_factory=list)
    allies: list[str] = field(default_factory=list)


@dataclass
class Client:
    """Someone on the server. ``wait_ms`` is how long he has been dead, pauses left out; None while he is not."""

    guid: str
    name: str
    side: int = SPECTATOR
    health: int = 100
    limbo: bool = False
    last_spawn: int = 0
    wait_ms: int | None = None
    bot: bool = False

    @property
    def on_a_side(self) -> bool:
        return self.side in (AXIS, ALLIES)


@dataclass
class Module:
    """One script in its Lua state."""

    name: str
    lua: Any


class FakeEngine:
    """See the module's text. ``scripts`` are loaded in this order from their folder in the game's own."""

    def __init__(
        self, runtime: str, home: Path, scripts: Iterable[str | Path], *, missing: Sequence[str] = (), unix: int = 1767982500
    ) -> None:  # fmt: skip
        self.lupa = importlib.import_module(f"lupa.{runtime}")
        self.folder = home / "legacy"
        self.folder.mkdir(parents=True)
        self.scripts = list(scripts)
        self.script_folder = ""  # in the mod's folder, with its slash
        self.constants = {name: value for name, value in CONSTANTS.items() if name not in missing}
        self.level, self.unix_ms = 33_000, unix * 1000
        self.wall_per_level = 1.0  # below 1 the game's clock runs ahead of the machine's: a server that catches up
        self.cvars = {
            "gamestate": str(INITIALIZE), "g_currentround": "0", "g_gametype": "3", "timelimit": "10", "g_nexttimelimit": "0",
            "sv_maxclients": "20", "sv_hostname": "^1a server", "fs_homepath": str(home), "fs_game": "legacy",
            "net_ip": "0.0.0.0", "net_port": "27960", "mapname": "",
        }  # fmt: skip
        self.strings: dict[int, str] = {CS_TOGGLES: str(OTHER_TOGGLE)}
        self.clients: dict[int, Client] = {}
        self.modules: list[Module] = []
        self.argv: list[str] = []
        self.log: list[str] = []
        self.errors: list[str] = []
        self.returned: list[tuple[str, str, Any]] = []
        self.commands: list[str] = []  # given to the shell
        self.shell_path: Path | None = None  # where commands find all their programs; None: nothing is run
        self.failing: set[str] = set()  # of "open", "rename"
        self.unavailable: set[str] = set()  # functions this engine has not got
        self.votes_allowed = True
        self.written: list[str] = []  # names of the files scripts wrote through the engine
        self.written_while_playing: list[str] = []
        self.round: TrueRound | None = None
        self.rounds: list[TrueRound] = []
        self._handles: dict[int, tuple[Path, str]] = {}
        self._warmup_since: int | None = None

    # -- Lua states and callbacks

    @property
    def unix(self) -> int:
        return self.unix_ms // 1000

    @property
    def state(self) -> int:
        return int(self.cvars["gamestate"])

    @state.setter
    def state(self, value: int) -> None:
        self.cvars["gamestate"] = str(value)

    def _load(self, script: str | Path) -> Module:
        lua = self.lupa.LuaRuntime(encoding="latin-1", unpack_returned_tuples=True)
        name = "inline.lua" if isinstance(script, str) else script.name
        text = script if isinstance(script, str) else script.read_text("latin-1")
        functions = {name: call for name, call in self._functions().items() if name not in self.unavailable}
        lua.globals().et = lua.table_from({**self.constants, **functions})
        lua.globals().os.time = lambda: self.unix
        lua.globals().os.execute = self._execute
        lua.eval("function(text, name) assert(load(text, name))() end")(text, self.script_folder + name)
        return Module(name, lua)

    def _start_scripts(self, restart: int) -> None:
        self.modules = [self._load(script) for script in self.scripts]
        self.call("et_InitGame", self.level, 4711, restart)

    def call(self, callback: str, *args: Any) -> Any:
        """Calls a callback of every script in turn; the value of the one that stopped the chain, else None."""
        for module in self.modules:
            function = module.lua.globals()[callback]
            if function is None:
                continue
            try:
                value = function(*args)
            except self.lupa.LuaError as error:
                self.errors.append(f"{module.name} {callback}: {error}")
                continue
            if value is None:
                continue
            self.returned.append((module.name, callback, value))
            if callback in _ANY_VALUE_STOPS or (callback in _ONE_STOPS and value == 1):
                return value
        return None

    def print_line(self, text: str) -> None:
        """A line of the engine's own, or of a script through G_LogPrint."""
        self.log.append(text)
        self.call("et_Print", text[:1023])

    # -- the et table

    def _functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "RegisterModname": lambda name: None,
            "FindSelf": lambda: 0,
            "trap_Milliseconds": lambda: self.unix_ms,
            "trap_Cvar_Get": lambda name: self.cvars.get(name.lower(), "")[:255],
            "trap_Cvar_Set": lambda name, value: self.cvars.__setitem__(name.lower(), str(value)),
            "trap_GetConfigstring": lambda index: self.strings.get(index, ""),
            "trap_GetUserinfo": self._userinfo,
            "Info_ValueForKey": _value_for_key,
            "Q_CleanStr": lambda text: re.sub(r"\^[!-~]", "", str(text)),
            "gentity_get": self._gentity_get,
            "G_Print": self.log.append,
            "G_LogPrint": self.print_line,
            "trap_SendServerCommand": lambda slot, text: None,
            "trap_SendConsoleCommand": lambda when, text: None,
            "trap_Argc": lambda: len(self.argv),
            "trap_Argv": lambda index: self.argv[index] if index < len(self.argv) else "",
            "trap_FS_FOpenFile": self._open,
            "trap_FS_Read": lambda handle, count: self._handles[handle][0].read_bytes()[:count].decode("latin-1"),
            "trap_FS_Write": self._write,
            "trap_FS_FCloseFile": lambda handle: self._handles.pop(handle) and None,
            "trap_FS_Rename": self._rename,
        }

    def _userinfo(self, slot: int) -> str:
        client = self.clients.get(slot)
        return f"\\cl_guid\\{client.guid}\\name\\{client.name}\\ip\\127.0.0.1" if client else ""

    def _gentity_get(self, slot: int, name: str, index: int = 0) -> Any:
        if not 0 <= slot < MAX_CLIENTS:
            raise ValueError(f'tried to get invalid gentity field "{name}"')
        client = self.clients.get(slot)
        here = client or Client("", "", side=0)
        fields = {
            "pers.connected": 2 if client else 0, "pers.netname": here.name, "pers.lastSpawnTime": here.last_spawn,
            "sess.sessionTeam": here.side, "health": here.health, "ps.pm_flags": LIMBO if here.limbo else 0,
        }  # fmt: skip
        if name not in fields:
            raise ValueError(f'tried to get invalid gentity field "{name}"')
        return fields[name]

    def _open(self, name: str, mode: int) -> tuple[int, int]:
        path = self.folder / name
        if mode == CONSTANTS["FS_READ"]:
            if not path.is_file():
                return 0, -1
        elif "open" in self.failing:
            return 0, -1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        handle = max(self._handles, default=0) + 1
        self._handles[handle] = (path, name)
        return handle, path.stat().st_size

    def _write(self, text: str, count: int, handle: int) -> int:
        path, name = self._handles[handle]
        self.written.append(name)
        with path.open("ab") as file:
            file.write(text.encode("latin-1")[:count])
        if self.round is not None and self.round.exit_text is None:
            self.written_while_playing.append(name)
        return count

    def _rename(self, old: str, new: str) -> None:
        if "rename" not in self.failing:
            (self.folder / old).rename(self.folder / new)

    def _execute(self, command: str) -> bool:
        self.commands.append(command)
        if self.shell_path is not None:
            subprocess.run(["/bin/sh", "-c", command], env={"PATH": str(self.shell_path)}, check=False)
        return True

    # -- time

    def frame(self, ms: int = FRAME, during: Callable[[], None] | None = None) -> None:
        """One server frame; ``during`` is what the engine itself does in it, before the scripts' et_RunFrame."""
        self.level += ms
        self.unix_ms += round(ms * self.wall_per_level)
        if self.round is not None and self.round.exit_text is None:
            self._count(self.round, ms)
        if during:
            during()
        self.call("et_RunFrame", self.level)

    def frames(self, seconds: float) -> None:
        for _ in range(round(seconds * 1000 / FRAME)):
            self.frame()

    def _count(self, played: TrueRound, ms: int) -> None:
        if int(self.strings[CS_TOGGLES]) & PAUSE_BIT:
            pause = played.pauses[-1]
            pause.ms += ms
            pause.end = self.unix
            pause.start = pause.start or self.unix
            return
        played.played_ms += ms
        for client in self.clients.values():
            if client.wait_ms is not None:
                client.wait_ms += ms
                self.true_player(client).dead_ms += ms

    def true_player(self, client: Client) -> TruePlayer:
        assert self.round is not None
        return self.round.players.setdefault(client.guid, TruePlayer(client.guid))

    # -- the course of a match

    def load_map(self, name: str, limit: str = "10", defender: int = AXIS, restart: int = 0) -> None:
        """A map begins with its warm-up; a round that was being played is left unfinished."""
        if self.modules:
            self._shut_down(restart, "map_change")
        self.cvars |= {"mapname": name, "timelimit": limit}
        self.strings |= {CS_INFO: f"\\d\\{defender - 1}", CS_WINNER: "\\w\\-1", CS_VOTE_TIME: ""}
        self.state = INITIALIZE
        self._warmup_since = self.unix
        self._start_scripts(restart)
        self.state = WARMUP
        self._clients_enter()

    def begin_play(self) -> TrueRound:
        """The warm-up's countdown, then the map_restart with which play begins."""
        self.state = COUNTDOWN
        self.frames(0.2)
        self._shut_down(1, "map_restart")
        self.state = PLAYING
        self.strings |= {CS_LEVEL_START: str(self.level), CS_VOTE_TIME: ""}
        warmup = 0 if self._warmup_since is None else self.unix - self._warmup_since
        number = int(self.cvars["g_currentround"]) + 1
        self.round = TrueRound(self.cvars["mapname"], number, self.unix, warmup)
        self.rounds.append(self.round)
        self._warmup_since = None
        self._start_scripts(1)
        for _ in range(6):
            self.frame(100)
        self._clients_enter()
        return self.round

    def end_round(self, exit_text: str, winner: int, intermission: float = 15) -> None:
        """The engine ends the round by itself: ``exit_text`` as it prints it, ``winner`` a side or 0."""

        def log_exit() -> None:
            assert self.round is not None
            self.round.winner, self.round.exit_text, self.round.end_unix = winner, exit_text, self.unix
            self._note_rosters(self.round)
            self.strings[CS_WINNER] = f"\\w\\{winner - 1}"
            self.print_line(f"Exit: {exit_text}\n" + ("\n" if exit_text.endswith("Surrender") else ""))
            self.cvars["g_currentround"] = "1" if self.cvars["g_currentround"] == "0" else "0"
            self.cvars["g_nexttimelimit"] = f"{self.round.played_ms / 60000:f}"

        self.frame(during=log_exit)
        self.state = INTERMISSION
        self.frames(0.3)
        for slot in sorted(self.clients):
            self.print_line(f"WeaponStats: {slot} 0 0\n")
        self.frames(intermission - 0.3)
        self.round = None

    def restart_map(self, *, reset_match: bool = False) -> None:
        """A map_restart back into the warm-up (vote or referee); a reset match begins with its first round again."""
        self._shut_down(1, "map_restart")
        if reset_match:
            self.cvars["g_currentround"] = "0"
        self.state = WARMUP
        self.strings[CS_VOTE_TIME] = ""
        if self._warmup_since is None:
            self._warmup_since = self.unix
        self._start_scripts(1)
        self._clients_enter()

    def quit(self) -> None:
        """The server ends, or changes the map: its scripts are told, no more."""
        self._shut_down(0, "map_change")
        self.modules = []

    def _shut_down(self, restart: int, ended_by: Literal["map_restart", "map_change"]) -> None:
        if self.round is not None:
            self.round.ended_by, self.round.end_unix = ended_by, self.unix
            self._note_rosters(self.round)
        self.call("et_ShutdownGame", restart)
        self.round = None
        for client in self.clients.values():
            client.wait_ms = None

    def _note_rosters(self, played: TrueRound) -> None:
        players = [client for _, client in sorted(self.clients.items())]
        played.axis = [p.guid for p in players if p.side == AXIS]
        played.allies = [p.guid for p in players if p.side == ALLIES]

    def _clients_enter(self) -> None:
        """As after every start of the scripts: whoever is on the server connects and begins again."""
        for slot, client in sorted(self.clients.items()):
            self.call("et_ClientConnect", slot, 0, int(client.bot))
            self.call("et_ClientBegin", slot)
            self._spawn(slot, revived=0, team_change=1)

    # -- players

    def connect(self, slot: int, name: str, guid: str, side: int = SPECTATOR, *, bot: bool = False) -> None:
        self.clients[slot] = Client(guid, name, bot=bot)
        if self.call("et_ClientConnect", slot, 1, int(bot)) is not None:
            del self.clients[slot]
            return
        self.call("et_ClientUserinfoChanged", slot)
        self.call("et_ClientBegin", slot)
        self._spawn(slot, revived=0, team_change=1)
        if side != SPECTATOR:
            self.set_team(slot, side)

    def disconnect(self, slot: int) -> None:
        self.call("et_ClientDisconnect", slot)
        del self.clients[slot]

    def rename(self, slot: int, name: str) -> None:
        self.clients[slot].name = name
        self.call("et_ClientUserinfoChanged", slot)

    def set_team(self, slot: int, side: int) -> None:
        """During play a change of sides kills, then waits in limbo for the next wave."""
        client = self.clients[slot]
        if client.on_a_side and client.wait_ms is None and self.round is not None:
            self._die(slot, slot, MOD_SWITCHTEAM)
        client.side = side
        client.limbo = self.round is not None and client.on_a_side
        if not client.on_a_side:
            client.wait_ms = None
        self.call("et_ClientUserinfoChanged", slot)
        self.call("et_ClientBegin", slot)
        self._spawn(slot, revived=0, team_change=1)

    def respawn(self, slot: int) -> None:
        """With the next wave of reinforcements."""
        self.clients[slot].limbo = False
        self._spawn(slot, revived=0, team_change=0)

    def revive(self, medic: int, slot: int) -> None:
        self._spawn(slot, revived=1, team_change=0)
        self.print_line(f"Medic_Revive: {medic} {slot}\n")

    def tap_out(self, slot: int) -> None:
        """A wounded player gives up waiting for a medic."""
        self.clients[slot].limbo = True

    def _spawn(self, slot: int, revived: int, team_change: int) -> None:
        client = self.clients[slot]
        client.last_spawn = self.level
        self.call("et_ClientSpawn", slot, revived, team_change, 1)
        if client.limbo or not client.on_a_side:
            return
        client.health = 100
        if self.round is not None and self.round.exit_text is None:
            true = self.true_player(client)
            true.spawns += 1
            if client.wait_ms is not None:
                true.waits.append(client.wait_ms)
        client.wait_ms = None

    def damage(self, target: int, attacker: int, points: int, mod: int = MOD_MP40) -> None:
        if self.call("et_Damage", target, attacker, points, 0, mod) != 1 and target in self.clients:
            self.clients[target].health -= points

    def kill(self, victim: int, killer: int = WORLD, mod: int = MOD_MP40) -> None:
        self.damage(victim, killer, 60, mod)
        self.damage(victim, killer, 70, mod)
        self._die(victim, killer, mod)

    def _die(self, victim: int, killer: int, mod: int) -> None:
        client = self.clients[victim]
        client.health = -40
        if self.round is not None and self.round.exit_text is None:
            self.true_player(client).deaths += 1
            client.wait_ms = client.wait_ms or 0
        self.call("et_Obituary", victim, killer, mod)
        self.print_line(f"Kill: {killer} {victim} {mod}: ^7somebody^7 killed {client.name}^7 by MOD_{mod}\n")

    # -- pauses and votes

    def pause(self) -> None:
        self.strings[CS_TOGGLES] = str(OTHER_TOGGLE + PAUSE_BIT)
        if self.round is not None:
            self.round.pauses.append(TruePause(0, 0))

    def unpause(self) -> None:
        self.strings[CS_TOGGLES] = str(OTHER_TOGGLE)

    def client_command(self, slot: int, *argv: str) -> None:
        """What a player types; the engine takes ``callvote`` when no other vote is under way."""
        self.argv = list(argv)
        if self.call("et_ClientCommand", slot, argv[0]) == 1 or argv[0].lower() != "callvote":
            return
        if self.votes_allowed and self.clients[slot].on_a_side and not self.strings[CS_VOTE_TIME]:
            self.strings[CS_VOTE_TIME] = str(self.level)
            self.print_line(f"callvote: {slot} {' '.join(argv[1:])}\n")

    def vote_fails(self) -> None:
        self.strings[CS_VOTE_TIME] = ""
        self.print_line("Vote Failed: surrender\n")

    def surrender(self, side: int, intermission: float = 15) -> None:
        """The vote of a side to give up passes."""
        self.strings[CS_VOTE_TIME] = ""
        self.end_round("Axis Surrender" if side == AXIS else "Allies Surrender", 3 - side, intermission)


def _value_for_key(info: str, key: str) -> str:
    parts = info.split("\\")[1:]
    return next(
        (value for name, value in zip(parts[::2], parts[1::2], strict=False) if name.lower() == key.lower()), ""
    )
