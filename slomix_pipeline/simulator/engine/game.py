"""The course of a match on the engine: frames, maps, warm-ups, rounds, restarts, exits.

Beside it the engine keeps what was really played (``TrueRound``). As in life, all scripts end and start anew at each
map load and map_restart.
Does not belong here: what people do (``people``), what scripts see (``host``).
"""

from collections.abc import Callable
from typing import Literal

from slomix_pipeline.simulator.engine.host import (
    ALLIES,
    AXIS,
    CS_INFO,
    CS_LEVEL_START,
    CS_TOGGLES,
    CS_VOTE_TIME,
    CS_WINNER,
    INITIALIZE,
    PAUSE_BIT,
)
from slomix_pipeline.simulator.engine.people import People
from slomix_pipeline.simulator.engine.truth import TrueRound

PLAYING, COUNTDOWN, WARMUP, INTERMISSION = 0, 1, 2, 3
FRAME = 50  # ms of level time
ALREADY_TRIGGERED = "(already triggered)"  # what new engines print behind a second end of a round


class GameEngine(People):
    """A game server: ``wall_per_level`` below 1 is one whose game runs ahead of the machine's clock, to catch up."""

    wall_per_level = 1.0
    _warmup_since: int | None = None

    @property
    def state(self) -> int:
        return int(self.cvars["gamestate"])

    @state.setter
    def state(self, value: int) -> None:
        self.cvars["gamestate"] = str(value)

    # -- time

    def frame(self, ms: int = FRAME, during: Callable[[], None] | None = None) -> None:
        """One server frame; ``during`` is what the engine itself does in it, before the scripts' et_RunFrame."""
        self.level += ms
        self.unix_ms += round(ms * self.wall_per_level)
        if self.playing is not None:
            self._count(self.playing, ms)
        if during:
            during()
        self.call("et_RunFrame", self.level)

    def frames(self, seconds: float, each: int = FRAME) -> None:
        """``seconds`` of play, in frames of ``each`` ms."""
        for _ in range(round(seconds * 1000 / each)):
            self.frame(each)

    def _count(self, played: TrueRound, ms: int) -> None:
        if int(self.strings[CS_TOGGLES]) & PAUSE_BIT:
            pause = played.pauses[-1]
            pause.ms += ms
            pause.end = self.unix
            pause.start = pause.start or self.unix
            self.strings[CS_LEVEL_START] = str(int(self.strings[CS_LEVEL_START]) + ms)
            return
        played.played_ms += ms
        for client in self.clients.values():
            if not client.on_a_side or not self.entered:
                continue
            true = self.true_player(client)
            true.team_ms += ms
            client.session["time_axis" if client.side == AXIS else "time_allies"] += ms
            if client.wait_ms is not None:
                client.wait_ms += ms
                true.dead_ms += ms
            elif not client.limbo:
                client.session["time_played"] += ms
                true.alive_ms += ms

    # -- the course of a match

    def load_map(self, name: str, limit: str = "10", defender: int = AXIS, restart: int = 0) -> None:
        """A map begins with its warm-up; a round that was being played is left unfinished.

        Without ``restart`` as the command ``map`` does it (a vote for the next map too): the engine is back in a first
        round before the scripts end. It forgets its counters when the map is another one. For a second round the sides
        are swapped.
        """
        if self.modules:
            if not restart:
                self.cvars |= {"gamestate": str(INITIALIZE), "g_currentround": "0", "g_nexttimelimit": "0"}
            self._shut_down(restart, "map_change")
        for client in self.clients.values():
            if name != self.cvars["mapname"]:
                client.begin_anew()
            if self.cvars["g_currentround"] == "1" and client.on_a_side:
                client.side = ALLIES + AXIS - client.side
        self.cvars |= {"mapname": name, "timelimit": limit}
        self.strings |= {CS_INFO: f"\\d\\{defender - 1}", CS_WINNER: "\\w\\-1", CS_VOTE_TIME: ""}
        self.state = INITIALIZE
        self._warmup_since = self.unix
        self.start_scripts(restart)
        self.state = WARMUP
        self._clients_enter()

    def load_second_round(self) -> None:
        """The same map once more, for the time to beat: a map_restart."""
        defender = int(self.strings[CS_INFO].rpartition("\\")[2]) + 1
        self.load_map(self.cvars["mapname"], self.cvars["g_nexttimelimit"], defender, restart=1)

    def begin_play(self) -> TrueRound:
        """The warm-up's countdown, then the map_restart with which play begins."""
        self.state = COUNTDOWN
        self.frames(0.2)
        self._shut_down(1, "map_restart")
        self._restore_counters()
        self.state = PLAYING
        self.strings |= {CS_LEVEL_START: str(self.level), CS_VOTE_TIME: ""}
        warmup = 0 if self._warmup_since is None else self.unix - self._warmup_since
        self.round = TrueRound(
            self.cvars["mapname"],
            int(self.cvars["g_currentround"]) + 1,
            self.unix,
            warmup,
            defender=int(self.strings[CS_INFO].rpartition("\\")[2]) + 1,
            limit=_number(self.cvars["timelimit"]),
        )
        self.rounds.append(self.round)
        self._warmup_since = None
        self.entered = False
        self.start_scripts(1)
        for _ in range(6):
            self.frame(100)
        self._clients_enter()
        return self.round

    def _restore_counters(self) -> None:
        """The engine keeps what it counted, unless someone has two rounds behind him; experience is never kept."""
        forgotten = any(client.session["rounds"] >= 2 for client in self.clients.values())
        for client in self.clients.values():
            client.xp = 0
            if forgotten:
                client.begin_anew()
            elif any(map(any, client.weapons)):
                client.session["rounds"] += 1

    def end_round(self, exit_text: str, winner: int, intermission: float = 15, then: str = "") -> None:
        """The engine ends the round by itself: ``exit_text`` as it prints it, ``winner`` a side or 0.

        ``then``: what ends it once more before the intermission begins. New engines print that it was over already;
        old ones take it for another end, and turn the round's number again.
        """

        def over() -> None:
            assert self.round is not None
            self.round.winner, self.round.exit_text, self.round.end_unix = winner, exit_text, self.unix
            self._note_rosters(self.round)
            self.strings[CS_WINNER] = f"\\w\\{winner - 1}"
            self._log_exit(exit_text, self.round, winner)
            if then.endswith(ALREADY_TRIGGERED):
                self.print_line(f"Exit: {then}\n")
            elif then:
                self._log_exit(then, self.round, winner)

        self.frame(during=over)
        self.state = INTERMISSION
        if intermission:
            self.frames(0.3)
            for slot in sorted(self.clients):
                self.print_line(f"WeaponStats: {slot} 0 0\n")
            self.frames(intermission - 0.3)
        self.round = None

    def _log_exit(self, text: str, played: TrueRound, winner: int) -> None:
        self.print_line(f"Exit: {text}\n" + ("\n" if text.endswith("Surrender") else ""))
        first = self.cvars["g_currentround"] == "0"
        self.cvars["g_currentround"] = "1" if first else "0"
        minutes = played.limit if winner == played.defender else played.played_ms / 60000
        self.cvars["g_nexttimelimit"] = f"{minutes:f}"

    def surrender(self, side: int, intermission: float = 15, then: str = "") -> None:
        """The vote of a side to give up passes."""
        self.strings[CS_VOTE_TIME] = ""
        self.end_round("Axis Surrender" if side == AXIS else "Allies Surrender", 3 - side, intermission, then)

    def restart_map(self, *, reset_match: bool = False) -> None:
        """A map_restart back into the warm-up (vote or referee).

        A reset match begins with its first round again, and the engine is there before the scripts end.
        """
        if reset_match:
            self.cvars["g_currentround"] = "0"
        self.state = WARMUP
        self._shut_down(1, "map_restart")
        if reset_match:
            for client in self.clients.values():
                client.begin_anew()
        self.strings[CS_VOTE_TIME] = ""
        if self._warmup_since is None:
            self._warmup_since = self.unix
        self.start_scripts(1)
        self._clients_enter()

    def quit(self) -> None:
        """The server ends: its scripts are told, no more."""
        self._shut_down(0, "map_change")
        self.stop_scripts()

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
        for client in players:
            if client.guid in played.players:
                self.true_player(client)  # the last name and side

    def _clients_enter(self) -> None:
        """As after every start of the scripts: whoever is on the server connects and begins again."""
        self.entered = True
        for slot, client in sorted(self.clients.items()):
            client.limbo = False
            self.call("et_ClientConnect", slot, 0, int(client.bot))
            self.call("et_ClientBegin", slot)
            self._spawn(slot, revived=0, team_change=1)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
