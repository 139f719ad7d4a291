"""What the scripts see of the engine: their Lua states, the ``et`` table, cvars, config strings, files, the log.

As in the engine, every script is a Lua state of its own, and a value returned from some callbacks keeps the event from
later ones. Text is bytes in Latin-1 on both sides, so that names may hold any byte.
Does not belong here: anything that happens by itself (``game``) or is done by people (``people``).
"""

import importlib
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from slomix_pipeline.simulator.engine.truth import TrueRound

AXIS, ALLIES, SPECTATOR = 1, 2, 3
INITIALIZE = -1
MAX_CLIENTS = 64
PAUSE_BIT, OTHER_TOGGLE = 16, 1
WAVES = {AXIS: 30_000, ALLIES: 20_000}  # ms from spawn wave to spawn wave
LIMBO = 0x4000
RUNTIMES = ("lua53", "lua54", "luajit21")

CONSTANTS = {
    "GS_INITIALIZE": -1,
    "GS_PLAYING": 0,
    "GS_WARMUP_COUNTDOWN": 1,
    "GS_WARMUP": 2,
    "GS_INTERMISSION": 3,
    "TEAM_FREE": 0,
    "TEAM_AXIS": 1,
    "TEAM_ALLIES": 2,
    "TEAM_SPECTATOR": 3,
    "CON_CONNECTED": 2,
    "FS_READ": 0,
    "FS_WRITE": 1,
    "FS_APPEND": 2,
    "CS_VOTE_TIME": 6,
    "CS_LEVEL_START_TIME": 11,
    "CS_MULTI_INFO": 13,
    "CS_MULTI_MAPWINNER": 14,
    "CS_REINFSEEDS": 31,
    "CS_SERVERTOGGLES": 32,
    "CV_SVS_PAUSE": 16,
    "MAX_CLIENTS": 64,
    "MOD_MP40": 8,
    "MOD_SUICIDE": 33,
    "MOD_GPG40": 39,
    "MOD_LANDMINE": 41,
}
CS_VOTE_TIME, CS_LEVEL_START, CS_INFO, CS_WINNER, CS_SEEDS, CS_TOGGLES = 6, 11, 13, 14, 31, 32

# What the engine takes as "handled": the event goes to no later script.
_ANY_VALUE_STOPS = {"et_Obituary", "et_ClientConnect"}
_ONE_STOPS = {"et_ClientCommand", "et_ConsoleCommand", "et_Damage", "et_WeaponFire"}

SESSION = (
    "rounds",
    "kills",
    "deaths",
    "gibs",
    "self_kills",
    "team_kills",
    "team_gibs",
    "damage_given",
    "damage_received",
    "team_damage_given",
    "team_damage_received",
    "time_axis",
    "time_allies",
    "time_played",
)
SHOTS, DEATHS, HEADSHOTS, HITS, KILLS = range(5)  # where the engine has them, per weapon


def _no_weapons() -> list[list[int]]:
    return [[0] * 5 for _ in range(28)]


@dataclass
class Client:
    """Someone on the server, and what the engine counts of him: ``session`` and ``weapons``, which it keeps from round
    to round or not. ``wait_ms`` is how long he has been dead, pauses left out; None while he is not."""

    guid: str
    name: str
    side: int = SPECTATOR
    health: int = 100
    limbo: bool = False
    last_spawn: int = 0
    wait_ms: int | None = None
    bot: bool = False
    session: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SESSION, 0))
    weapons: list[list[int]] = field(default_factory=_no_weapons)
    head_hits: int = 0
    xp: int = 0
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def on_a_side(self) -> bool:
        return self.side in (AXIS, ALLIES)

    def begin_anew(self) -> None:
        """The engine forgets what it counted."""
        self.session, self.weapons = dict.fromkeys(SESSION, 0), _no_weapons()


_NOBODY = Client("", "", side=0)  # what scripts see in an empty slot


def _counted(name: str) -> Callable[[Client, int], Any]:
    return lambda client, index: client.session[name]


# What scripts may ask of a slot, with an index where the engine has an array.
_FIELDS: dict[str, Callable[[Client, int], Any]] = {
    "pers.connected": lambda client, index: 0 if client is _NOBODY else 2,
    "pers.netname": lambda client, index: client.name,
    "pers.lastSpawnTime": lambda client, index: client.last_spawn,
    "pers.playerStats.hitRegions": lambda client, index: 0 if index else client.head_hits,
    "sess.sessionTeam": lambda client, index: client.side,
    "sess.aWeaponStats": lambda client, index: client.weapons[index],
    "health": lambda client, index: client.health,
    "ps.pm_flags": lambda client, index: LIMBO if client.limbo else 0,
    "ps.persistant": lambda client, index: 0 if index else client.xp,
    "ps.origin": lambda client, index: client.origin,
    **{f"sess.{name}": _counted(name) for name in SESSION},
}


@dataclass
class Module:
    """One script in its Lua state."""

    name: str
    lua: Any


class Host:
    """See the module's text. ``scripts`` are loaded in this order from their folder in the game's own; ``zone`` is the
    machine's.

    Raises:
        ModuleNotFoundError: lupa, which runs them, is not installed.
    """

    def __init__(
        self,
        runtime: str,
        home: Path,
        scripts: Iterable[str | Path],
        *,
        missing: Sequence[str] = (),
        unix: int = 1767982500,
        zone: tzinfo = UTC,
    ) -> None:
        self.lupa = importlib.import_module(f"lupa.{runtime}")
        self.folder = home / "legacy"
        self.folder.mkdir(parents=True)
        self.scripts = list(scripts)
        self.script_folder = ""  # in the mod's folder, with its slash
        self.constants = {name: value for name, value in CONSTANTS.items() if name not in missing}
        self.level, self.unix_ms, self.zone = 33_000, unix * 1000, zone
        self.cvars = {
            "gamestate": str(INITIALIZE),
            "g_currentround": "0",
            "g_gametype": "3",
            "timelimit": "10",
            "g_nexttimelimit": "0",
            "g_redlimbotime": str(WAVES[AXIS]),
            "g_bluelimbotime": str(WAVES[ALLIES]),
            "g_customconfig": "legacy3",
            "sv_maxclients": "20",
            "sv_hostname": "^1a server",
            "fs_homepath": str(home),
            "fs_game": "legacy",
            "net_ip": "0.0.0.0",
            "net_port": "27960",
            "mapname": "",
        }
        self.strings: dict[int, str] = {CS_TOGGLES: str(OTHER_TOGGLE), CS_SEEDS: "19 21 1 2 91 4 5 55 7 8"}
        self.clients: dict[int, Client] = {}
        self.entered = True  # after a start of the scripts nobody is there for some frames
        self.modules: list[Module] = []
        self.argv: list[str] = []
        self.log: list[str] = []
        self.errors: list[str] = []
        self.returned: list[tuple[str, str, Any]] = []
        self.commands: list[str] = []  # given to the shell
        self.shell_path: Path | None = None  # where commands find all their programs; None: nothing is run
        self.failing: set[str] = set()  # of "open", "rename"
        self.unavailable: set[str] = set()  # functions this engine has not got
        self.written: list[str] = []  # names of the files scripts wrote through the engine
        self.written_while_playing: list[str] = []
        self.round: TrueRound | None = None
        self.rounds: list[TrueRound] = []
        self._handles: dict[int, tuple[Path, str]] = {}

    @property
    def unix(self) -> int:
        return self.unix_ms // 1000

    # -- Lua states and callbacks

    def load_script(self, script: str | Path) -> Module:
        """A script, or the text of one, in a new Lua state."""
        lua = self.lupa.LuaRuntime(encoding="latin-1", unpack_returned_tuples=True)
        name = "inline.lua" if isinstance(script, str) else script.name
        text = script if isinstance(script, str) else script.read_text("latin-1")
        functions = {name: call for name, call in self._functions(lua).items() if name not in self.unavailable}
        lua.globals().et = lua.table_from({**self.constants, **functions})
        lua.globals().os.time = lambda: self.unix
        lua.globals().os.date = lambda text: datetime.fromtimestamp(self.unix, self.zone).strftime(text)
        lua.globals().os.execute = self._execute
        lua.eval("function(text, name) assert(load(text, name))() end")(text, self.script_folder + name)
        return Module(name, lua)

    def start_scripts(self, restart: int) -> None:
        """All scripts in new Lua states, as at every map load and map_restart."""
        self.restart_lua()
        self.call("et_InitGame", self.level, 4711, restart)

    def restart_lua(self) -> None:
        """The command ``lua_restart``: all scripts begin anew, without being told anything of the game."""
        self.stop_scripts()
        self.modules = [self.load_script(script) for script in self.scripts]

    def stop_scripts(self) -> None:
        """All Lua states end; the last that each of them hears is et_Quit."""
        self.call("et_Quit")
        self.modules = []

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

    def _functions(self, lua: Any) -> dict[str, Callable[..., Any]]:
        return {
            "RegisterModname": lambda name: None,
            "FindSelf": lambda: 0,
            "trap_Milliseconds": lambda: self.unix_ms,
            "trap_Cvar_Get": lambda name: self.cvars.get(name.lower(), "")[:255],
            "trap_Cvar_Set": lambda name, value: self.cvars.__setitem__(name.lower(), str(value)),
            "trap_GetConfigstring": lambda index: self.strings.get(index, ""),
            "trap_GetUserinfo": self._userinfo,
            "Info_ValueForKey": _value_for_key,
            "Q_CleanStr": _clean,
            "gentity_get": partial(self._gentity_get, lua.table_from),
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

    def _gentity_get(self, as_table: Callable[[Any], Any], slot: int, name: str, index: int | None = None) -> Any:
        field_of = _FIELDS.get(name)
        if field_of is None or not 0 <= slot < MAX_CLIENTS:
            raise ValueError(f'tried to get invalid gentity field "{name}"')
        client = self.clients.get(slot, _NOBODY) if self.entered else _NOBODY
        value = field_of(client, index or 0)
        return as_table(value) if isinstance(value, (list, tuple)) else value

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
        if self.round is not None and self.round.running:
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


def _clean(text: object) -> str:
    """As the engine cleans names: no colour codes, then nothing but printable ASCII."""
    return re.sub(r"[^ -~]", "", re.sub(r"\^[!-\]_-~\x80-\xff]", "", str(text)))


def _value_for_key(info: str, key: str) -> str:
    parts = info.split("\\")[1:]
    return next(
        (value for name, value in zip(parts[::2], parts[1::2], strict=False) if name.lower() == key.lower()), ""
    )
