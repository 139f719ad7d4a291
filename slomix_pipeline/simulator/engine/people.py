"""What people do on the server: come, fight, heal, plant, vote, leave. Each deed is told to the scripts as the engine
tells it, counted as the engine counts it, and logged as it was.

Does not belong here: the course of a match (``game``), what the deeds come to (``counting``).
"""

from collections.abc import Callable
from itertools import count

from slomix_pipeline.simulator.engine.host import (
    ALLIES,
    AXIS,
    CS_TOGGLES,
    CS_VOTE_TIME,
    DEATHS,
    HEADSHOTS,
    HITS,
    KILLS,
    OTHER_TOGGLE,
    PAUSE_BIT,
    SHOTS,
    SPECTATOR,
    WAVES,
    Client,
    Host,
)
from slomix_pipeline.simulator.engine.truth import Event, Kind, TruePause, TruePlayer, TrueRound

WORLD = 1022
MOD_KNIFE, MOD_LUGER, MOD_COLT, MOD_MP40, MOD_THOMPSON, MOD_GRENADE, MOD_PANZERFAUST = 5, 6, 7, 8, 9, 18, 15
MOD_FALLING, MOD_SUICIDE, MOD_SWITCHTEAM, MOD_GPG40, MOD_LANDMINE, MOD_KAR98 = 32, 33, 59, 39, 41, 38

# Which of the 28 weapons a means of death is, where it is one.
WEAPON_OF = {
    5: 0,
    61: 1,
    6: 2,
    7: 3,
    8: 4,
    9: 5,
    10: 6,
    13: 7,
    15: 8,
    64: 9,
    17: 10,
    4: 11,
    16: 11,
    18: 11,
    52: 12,
    63: 13,
    22: 14,
    23: 15,
    26: 16,
    42: 17,
    39: 18,
    40: 18,
    41: 19,
    1: 20,
    3: 20,
    44: 20,
    2: 21,
    62: 21,
    37: 22,
    38: 23,
    46: 24,
    51: 25,
    66: 26,
}
DYNAMITE, SYRINGE = 14, 27  # weapons
_EXPLOSIVE = {4, 15, 16, 18, 19, 20, 22, 23, 26, 39, 40, 41, 42, 52, 63, 64}
_FIRST_WAVE = {AXIS: 11_000, ALLIES: 7_000}  # ms before the end of the first interval, as the seeds say
_XP = {"kill": 3, "revive": 2, "plant": 7, "defuse": 7, "repair": 1}


class People(Host):
    """The players' side of the engine."""

    votes_allowed = True

    def true_player(self, client: Client) -> TruePlayer:
        """What is counted of him in the round being played."""
        assert self.round is not None
        player = self.round.players.get(client.guid)
        if player is None:
            player = self.round.players[client.guid] = TruePlayer(client.guid)
        player.name, player.team = client.name, client.side
        return player

    @property
    def playing(self) -> TrueRound | None:
        """The round being played, while the engine counts."""
        return self.round if self.round is not None and self.round.running else None

    def _log(self, kind: Kind, slot: int, other: int | None = None, **more: int | bool | None) -> None:
        if self.playing is None:
            return
        whom = self.clients[other].guid if other in self.clients and other is not None else ""
        event = Event(self.playing.played_ms, kind, self.clients[slot].guid, whom, **more)  # type: ignore[arg-type]
        self.playing.log.append(event)
        self.true_player(self.clients[slot])

    def _are_friends(self, slot: int, other: int) -> bool:
        return self.clients[slot].side == self.clients[other].side

    # -- coming and going

    def connect(self, slot: int, name: str, guid: str, side: int = SPECTATOR, *, bot: bool = False) -> None:
        """Comes onto the server; a slot that was taken is taken over without a word to the scripts."""
        if slot in self.clients:
            self._log("gone", slot)
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
        self._log("gone", slot)
        self.call("et_ClientDisconnect", slot)
        del self.clients[slot]

    def rename(self, slot: int, name: str) -> None:
        self.clients[slot].name = name
        self.call("et_ClientUserinfoChanged", slot)

    def set_team(self, slot: int, side: int) -> None:
        """During play a change of sides kills, then waits in limbo for the next wave."""
        client = self.clients[slot]
        if client.on_a_side and client.wait_ms is None and self.round is not None:
            self.die(slot, slot, MOD_SWITCHTEAM)
        client.side = side
        client.limbo = self.round is not None and client.on_a_side
        if not client.on_a_side:
            client.wait_ms = None
            self._log("away", slot)
        self.call("et_ClientUserinfoChanged", slot)
        self.call("et_ClientBegin", slot)
        self._spawn(slot, revived=0, team_change=1)

    # -- back into the game

    def respawn(self, slot: int) -> None:
        """With the next wave of reinforcements."""
        self.clients[slot].limbo = False
        self._spawn(slot, revived=0, team_change=0)

    def revive(self, medic: int, slot: int) -> None:
        self._use(medic, SYRINGE)
        self._spawn(slot, revived=1, team_change=0)
        if self.playing is not None:
            self.clients[medic].weapons[SYRINGE][HITS] += 1
            self._log("revive", medic, slot, weapon=SYRINGE)
            self._earn(medic, "revive")
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
        if self.playing is not None:
            true = self.true_player(client)
            true.spawns += 1
            if client.wait_ms is not None:
                true.waits.append(client.wait_ms)
            self._log("back", slot)
        client.wait_ms = None

    # -- fights

    def _use(self, slot: int, weapon: int | None) -> None:
        """Pulls a trigger."""
        if self.playing is not None and weapon is not None:
            self.clients[slot].weapons[weapon][SHOTS] += 1
            self._log("shot", slot, weapon=weapon)

    def shoot(self, slot: int, mod: int = MOD_MP40, bullets: int = 1) -> None:
        """Bullets that hit nobody."""
        for _ in range(bullets):
            self._use(slot, WEAPON_OF[mod])

    def damage(self, target: int, attacker: int, points: int, mod: int = MOD_MP40, *, head: bool = False) -> None:
        """One hit. The engine counts where it hit before it tells the scripts, the damage after."""
        shooter = self.clients.get(attacker)
        if shooter is not None and attacker != target:
            self._use(attacker, WEAPON_OF.get(mod))
            shooter.head_hits += head
        if self.call("et_Damage", target, attacker, points, 0, mod) == 1 or target not in self.clients:
            return
        victim = self.clients[target]
        if shooter is not None and attacker != target and self.playing is not None and victim.health > 0:
            self._count_hit(attacker, target, points, mod, head)
        victim.health -= points

    def _count_hit(self, attacker: int, target: int, points: int, mod: int, head: bool) -> None:
        shooter, victim = self.clients[attacker], self.clients[target]
        friendly, weapon = self._are_friends(attacker, target), WEAPON_OF.get(mod)
        kind = "team_damage" if friendly else "damage"
        shooter.session[f"{kind}_given"] += points
        victim.session[f"{kind}_received"] += points
        if weapon is not None and not friendly:
            shooter.weapons[weapon][HITS] += 1
            shooter.weapons[weapon][HEADSHOTS] += head
        self._log(
            "hit",
            attacker,
            target,
            weapon=weapon,
            points=points,
            head=head,
            friendly=friendly,
            explosive=mod in _EXPLOSIVE,
        )

    def kill(self, victim: int, killer: int = WORLD, mod: int = MOD_MP40, *, head: bool = False) -> None:
        """Two hits, the second of them deadly; the world and one's own hand need none."""
        if killer in self.clients and killer != victim:
            self.damage(victim, killer, 60, mod)
            self.damage(victim, killer, 70, mod, head=head)
        self.die(victim, killer, mod)

    def finish(self, victim: int, killer: int, points: int, mod: int = MOD_MP40, *, head: bool = False) -> None:
        """A single deadly hit on somebody who is wounded already."""
        self.damage(victim, killer, points, mod, head=head)
        self.die(victim, killer, mod)

    def die(self, victim: int, killer: int, mod: int) -> None:
        """Somebody dies of damage that was done already, or of none."""
        client = self.clients[victim]
        client.health = -40
        if self.playing is not None:
            self.true_player(client).deaths += 1
            self._count_death(victim, killer, mod)
            client.wait_ms = client.wait_ms or 0
        self.call("et_Obituary", victim, killer, mod)
        self.print_line(f"Kill: {killer} {victim} {mod}: ^7somebody^7 killed {client.name}^7 by MOD_{mod}\n")

    def _count_death(self, victim: int, killer: int, mod: int) -> None:
        dead, weapon, friendly = self.clients[victim], WEAPON_OF.get(mod), False
        if killer == victim:
            dead.session["self_kills"] += 1
        elif killer in self.clients:
            hand, friendly = self.clients[killer], self._are_friends(victim, killer)
            hand.session["team_kills" if friendly else "kills"] += 1
            if not friendly:
                dead.session["deaths"] += 1
                if weapon is not None:
                    hand.weapons[weapon][KILLS] += 1
                    dead.weapons[weapon][DEATHS] += 1
                self._earn(killer, "kill")
        wait, interval = self.next_wave(dead.side)
        self._log(
            "death",
            victim,
            killer,
            weapon=weapon,
            friendly=friendly,
            explosive=mod in _EXPLOSIVE,
            by_command=mod == MOD_SUICIDE,
            wait=wait,
            interval=interval,
        )

    def next_wave(self, side: int) -> tuple[int, int]:
        """ms until a side's next wave of reinforcements, and from wave to wave."""
        assert self.round is not None
        interval = WAVES.get(side, WAVES[AXIS])
        waves = count(interval - _FIRST_WAVE.get(side, 0), interval)
        return next(wave for wave in waves if wave > self.round.played_ms) - self.round.played_ms, interval

    def gib(self, attacker: int, body: int) -> None:
        """Blows up a body: shots at it count, hits don't."""
        friendly = self._are_friends(attacker, body)
        self.damage(body, attacker, 200, MOD_GRENADE)
        if self.playing is not None:
            self.clients[attacker].session["team_gibs" if friendly else "gibs"] += 1
            self._log("gib", attacker, body, friendly=friendly)

    # -- other deeds, of which scripts know from the log alone

    def _earn(self, slot: int, deed: str) -> None:
        self.clients[slot].xp += _XP[deed]
        self._log("xp", slot, points=_XP[deed])

    def plant(self, slot: int) -> None:
        self._use(slot, DYNAMITE)
        self._do(slot, "plant", f"Dynamite_Plant: {slot} the gate\n")

    def defuse(self, slot: int) -> None:
        self._do(slot, "defuse", f"Dynamite_Diffuse: {slot} the gate\n")

    def repair(self, slot: int) -> None:
        self._do(slot, "repair", f"Repair: {slot}\n")

    def _do(self, slot: int, deed: Kind, line: str) -> None:
        if self.playing is not None:
            self._log(deed, slot)
            self._earn(slot, deed)
        self.print_line(line)

    def take_objective(self, slot: int, side: int, wait: Callable[[], object] | None = None, lines: int = 1) -> None:
        """Takes an objective of a side; some engines print the same line for several frames (``wait`` between them)."""
        self._log("touch", slot, own=self.clients[slot].side == side)
        for number in range(lines):
            if wait and number:
                wait()
            self.print_line(f"Item: {slot} team_CTF_{'red' if side == AXIS else 'blue'}flag\n")

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
