"""One round of fighting, second by second.

Every hit, death and revive happens between named players and is counted on both sides at once, so what holds on a
real server (kills are deaths, damage given is damage received) holds here by construction.
Belongs here: what players do. Does not belong here: what scripts write of it (``serverfiles``), who wins (``evening``).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple, Self

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, WeaponCounts
from slomix_pipeline.formats.tail import DECIMAL_FIELDS, TAIL_FIELDS
from slomix_pipeline.simulator.values import Deed, DeedKind, Fighter, TruePlayer, Work

COUNTED = tuple(name for name in TAIL_FIELDS if name not in DECIMAL_FIELDS)

# Chances per second and living player, tuned to real rounds: 1 to 2 kills and 150 to 400 damage a minute.
_CONTACT, _FRIENDLY_FIRE, _GRENADE_THROWN = 0.046, 0.003, 0.009
_SELF_KILL, _SELF_KILL_BEFORE_WAVE = 0.001, 0.02  # who kills himself means to be back at once
_LETHAL, _REVIVED, _GIBBED, _ASSISTED = 0.72, 0.35, 0.4, 0.3
_BODY_DAMAGE, _HEAD_DAMAGE, _HEAD_HIT = 18, 50, 0.09
_WAVE_SECONDS = {AXIS: 30, ALLIES: 20}  # spawn waves of a side that defends and of one that attacks

_MAIN_WEAPON = {AXIS: "mp40", ALLIES: "thompson"}
_PISTOL = {AXIS: "luger", ALLIES: "colt"}
_KIT_WEAPON = {"engineer": "grenade_launcher", "fieldops": "airstrike", "covert": "satchel", "soldier": "panzerfaust"}
_EXPLOSIVES = {"grenade", *_KIT_WEAPON.values()}

_COUNTED_AS: dict[Work, str] = {"plant": "dynamites_planted", "defuse": "dynamites_defused", "repair": "repairs"}
_COLUMNS = ("hits", "shots", "kills", "deaths", "headshots")


@dataclass(frozen=True, slots=True)
class Place:
    """A fighter's place in a round. He is there from second ``joined`` up to ``left``, both multiples of 6.

    ``side`` is where he begins; from each second of ``switches`` on he goes over to the other as soon as he is alive.
    ``knife_swings`` may be below 0: the engine takes back swings at corpses, of the round before too.
    """

    fighter: Fighter
    side: int
    joined: int
    left: int
    knife_swings: int = 0
    switches: tuple[int, ...] = ()


class _Hit(NamedTuple):
    """Damage that an enemy did to a player who has not died since. ``bullets``: of no explosive."""

    second: int
    by: "_Soldier"
    damage: int
    bullets: bool
    head: bool


@dataclass(slots=True, eq=False)
class _Soldier:
    """One player while the round runs."""

    place: Place
    weapons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    counts: Counter[str] = field(default_factory=Counter)
    waits: list[int] = field(default_factory=list)
    victims: Counter[str] = field(default_factory=Counter)
    falls: int = 0
    down_at_the_end: int = 0  # seconds
    fell_at: int | None = None
    back_at: int = 0
    killer: Self | None = None
    medic: Self | None = None
    kill_run: int = 0
    death_run: int = 0
    chain: int = 0
    last_kill: int = -9
    hits: list[_Hit] = field(default_factory=list)
    side: int = field(init=False)
    switches: list[int] = field(init=False)  # that are still to come
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.side, self.switches, self.key = self.place.side, list(self.place.switches), self.place.fighter.key

    def end_chain(self) -> None:
        """Counts a chain of kills, each less than 3 s after the one before, once, by its length."""
        if self.chain > 1:
            self.counts[f"multikills_{min(self.chain, 6)}"] += 1
        self.chain = 0

    def longest(self, spree: str, run: int) -> None:
        """Keeps the longest run; scripts count from 3."""
        if run >= 3:
            self.counts[spree] = max(self.counts[spree], run)


def fight(
    rng: Random, places: Sequence[Place], seconds: int, *, attackers: int, attackers_won: bool
) -> tuple[list[TruePlayer], tuple[Deed, ...]]:
    """Plays a round of ``seconds`` (a multiple of 6): the players in the order of ``places``, and all that they did."""
    battle = _Battle(rng, [_Soldier(place) for place in places], seconds)
    for second in range(1, seconds):
        battle.tick(second)
    battle.objectives(attackers, attackers_won)
    for soldier in battle.soldiers:
        battle.leave(soldier)
    players = [battle.result(soldier) for soldier in battle.soldiers]
    return players, tuple(sorted(battle.deeds, key=lambda deed: deed.second))


class _Battle:
    def __init__(self, rng: Random, soldiers: list[_Soldier], seconds: int) -> None:
        self.rng = rng
        self.soldiers = soldiers
        self.seconds = seconds
        self.deeds: list[Deed] = []
        for soldier in soldiers:  # nobody goes without a shot: stats files leave such players out
            self._do("join", soldier, soldier.place.joined)
            self._fire(soldier, soldier.place.joined, _MAIN_WEAPON[soldier.side], rng.randint(3, 9))
            self._fire(soldier, soldier.place.joined, "knife", soldier.place.knife_swings)

    def _do(
        self, kind: DeedKind, soldier: _Soldier, second: int, other: _Soldier | None = None, weapon: str = ""
    ) -> None:
        self.deeds.append(Deed(second, kind, soldier.key, other.key if other else "", weapon))

    def _fire(
        self,
        soldier: _Soldier,
        second: int,
        weapon: str,
        shots: int,
        target: _Soldier | None = None,
        damage: int = 0,
        hits: int = 0,
        heads: int = 0,
    ) -> None:
        """Pulls a trigger. Hits on friends count nowhere, their damage does."""
        friendly = target is not None and target.side == soldier.side
        counted = soldier.weapons[weapon]
        counted["shots"] += shots
        if not friendly:
            counted["hits"] += hits
            counted["headshots"] += heads
        whom = target.key if target else ""
        self.deeds.append(Deed(second, "shoot", soldier.key, whom, weapon, shots, hits, heads, damage))
        if target and hits:
            kind = "team_damage" if friendly else "damage"
            soldier.counts[f"{kind}_given"] += damage
            target.counts[f"{kind}_received"] += damage
        if target and hits and not friendly:
            target.hits.append(_Hit(second, soldier, damage, weapon not in _EXPLOSIVES, heads == hits))

    def living(self, second: int, side: int) -> list[_Soldier]:
        return [
            s for s in self.soldiers if s.side == side and s.fell_at is None and s.place.joined <= second < s.place.left
        ]

    def tick(self, second: int) -> None:
        """One second: who is due comes back, then the living meet, blunder and throw."""
        for soldier in self.soldiers:
            if soldier.fell_at is not None and soldier.back_at <= second < soldier.place.left:
                self._come_back(soldier, second)
        for soldier in self.soldiers:
            if soldier.switches and soldier.switches[0] <= second and soldier in self.living(second, soldier.side):
                self._switch_sides(soldier, second)
        dice = self.rng.random
        for side in (AXIS, ALLIES):
            self_kill = _SELF_KILL_BEFORE_WAVE if self._wait(side, second) < 6 else _SELF_KILL
            for soldier in self.living(second, side):
                if soldier.fell_at is not None:
                    continue
                if dice() < _CONTACT:
                    self._meet(soldier, second)
                elif dice() < self_kill:
                    self._kill_self(soldier, second)
                elif dice() < _FRIENDLY_FIRE:
                    self._hit_a_friend(soldier, second)
                elif dice() < _GRENADE_THROWN:
                    self._fire(soldier, second, "grenade", 1)

    def _meet(self, soldier: _Soldier, second: int) -> None:
        enemies = self.living(second, AXIS + ALLIES - soldier.side)
        if not enemies:
            return
        enemy = self.rng.choice(enemies)
        odds = [s.place.fighter.skill**2 for s in (soldier, enemy)]
        winner = self.rng.choices([soldier, enemy], odds)[0]
        loser = enemy if winner is soldier else soldier
        self._shoot(loser, winner, self.rng.randrange(4), second)
        if self.rng.random() < _LETHAL:
            self._shoot_dead(winner, loser, second)
        else:
            self._shoot(winner, loser, self.rng.randint(1, 4), second)

    def _shoot_dead(self, killer: _Soldier, victim: _Soldier, second: int) -> None:
        health = self.rng.choice((100, 120, 140))
        mates = [s for s in self.living(second, killer.side) if s is not killer]
        assist = 0
        if mates and self.rng.random() < _ASSISTED:
            assist = self._shoot(self.rng.choice(mates), victim, self.rng.randint(1, 4), second)
        weapon = self._weapon(killer)
        if weapon in _EXPLOSIVES:
            damage = max(health - assist, 20) + self.rng.randrange(40)
            self._fire(killer, second, weapon, 1, victim, damage, hits=1)
        else:
            given = 0
            while given < max(health - assist, 18):
                given += self._shoot(killer, victim, 1, second, weapon)
        self._do("kill", killer, second, victim, weapon=weapon)
        self._count(killer, weapon, kills=1)
        self._count(victim, weapon, deaths=1)
        killer.victims[victim.key] += 1
        self._credit_kill(killer, victim, second, weapon)
        self._fall(victim, second, killer)

    def _weapon(self, soldier: _Soldier) -> str:
        dice = self.rng.random()
        if dice < 0.07:
            return _PISTOL[soldier.side]
        if dice < 0.15:
            return "grenade"
        if dice < 0.25:
            return _KIT_WEAPON.get(soldier.place.fighter.kit, _MAIN_WEAPON[soldier.side])
        return _MAIN_WEAPON[soldier.side]

    def _shoot(self, shooter: _Soldier, target: _Soldier, hits: int, second: int, weapon: str | None = None) -> int:
        """Some bullets that hit and the others that don't; returns the damage."""
        heads = sum(self.rng.random() < _HEAD_HIT for _ in range(hits))
        misses = (hits or 1) * (1 / shooter.place.fighter.aim - 1) * self.rng.uniform(0.6, 1.4)
        damage = heads * _HEAD_DAMAGE + (hits - heads) * _BODY_DAMAGE
        weapon = weapon or _MAIN_WEAPON[shooter.side]
        self._fire(shooter, second, weapon, hits + round(misses), target, damage, hits, heads)
        return damage

    @staticmethod
    def _count(soldier: _Soldier, weapon: str, **counts: int) -> None:
        for column, number in counts.items():
            soldier.weapons[weapon][column] += number

    @staticmethod
    def _wait(side: int, second: int) -> int:
        """Seconds to the side's next spawn wave."""
        interval = _WAVE_SECONDS[side]
        return interval - second % interval

    @staticmethod
    def _credit_helpers(killer: _Soldier, victim: _Soldier, second: int, weapon: str) -> None:
        """Who hit the victim in the last moments too; of these one may have done more to him than the killer."""
        late = [hit for hit in victim.hits if second - hit.second <= 1]
        helpers = dict.fromkeys(hit.by for hit in late if hit.by is not killer)
        bullets: Counter[_Soldier] = Counter()
        for hit in late:
            bullets[hit.by] += hit.damage if hit.bullets else 0
        for helper in helpers:
            helper.counts["kill_assists"] += 1
        killer.counts["kill_steals"] += weapon not in _EXPLOSIVES and any(
            bullets[helper] > bullets[killer] for helper in helpers
        )
        killer.counts["headshot_kills"] += weapon not in _EXPLOSIVES and victim.hits[-1].head

    def _credit_kill(self, killer: _Soldier, victim: _Soldier, second: int, weapon: str) -> None:
        self._credit_helpers(killer, victim, second, weapon)
        wait = self._wait(victim.side, second)
        killer.counts["useful_kills"] += 2 * wait >= _WAVE_SECONDS[victim.side]
        killer.counts["useless_kills"] += wait < 5
        if second - killer.last_kill >= 3:
            killer.end_chain()
        killer.chain += 1
        killer.last_kill = second
        killer.kill_run += 1
        killer.longest("death_spree", killer.death_run)
        killer.death_run = 0

    def _fall(self, victim: _Soldier, second: int, killer: _Soldier | None, mate: _Soldier | None = None) -> None:
        victim.longest("killing_spree", victim.kill_run)
        victim.kill_run = 0
        victim.death_run += mate is None
        victim.hits.clear()
        victim.falls += 1
        victim.fell_at, victim.killer, victim.medic = second, killer, None
        victim.back_at = second + self._wait(victim.side, second)
        medics = [s for s in self.living(second, victim.side) if s.place.fighter.kit == "medic"]
        revived_at = second + self.rng.randint(3, 7)
        if killer and medics and revived_at < victim.back_at and self.rng.random() < _REVIVED:
            victim.back_at, victim.medic = revived_at, self.rng.choice(medics)
        elif killer and self.rng.random() < _GIBBED:
            self._do("gib", killer, second, victim)
            killer.counts["gibs"] += 1

    def _come_back(self, soldier: _Soldier, second: int) -> None:
        medic, soldier.medic = soldier.medic, None
        if medic:
            if medic not in self.living(second, soldier.side):
                soldier.back_at = second + self._wait(soldier.side, second)
                return
            self._count(medic, "syringe", hits=1, shots=1)
            if self.rng.random() < 0.15:
                self._fire(medic, second, "syringe", 1)
            medic.counts["revives_given"] += 1
            soldier.counts["times_revived"] += 1
        self._do("back", soldier, second, medic)
        soldier.waits.append(self._end_death(soldier, second))

    @staticmethod
    def _end_death(soldier: _Soldier, second: int) -> int:
        """How long he was dead, in seconds; who killed him has kept him out for so long."""
        waited = second - (soldier.fell_at or 0)
        if soldier.killer:
            soldier.killer.counts["denied_playtime"] += waited
        soldier.fell_at = soldier.killer = None
        return waited

    def _kill_self(self, soldier: _Soldier, second: int) -> None:
        soldier.counts["self_kills"] += 1
        soldier.counts["full_self_kills"] += self._wait(soldier.side, second) >= _WAVE_SECONDS[soldier.side] - 2
        self._do("kill_self", soldier, second)
        self._fall(soldier, second, None)

    def _switch_sides(self, soldier: _Soldier, second: int) -> None:
        """To the enemy, which costs him his life."""
        soldier.switches.pop(0)
        soldier.counts["self_kills"] += 1
        self._do("switch", soldier, second)
        soldier.side = AXIS + ALLIES - soldier.side
        self._fall(soldier, second, None)

    def _hit_a_friend(self, soldier: _Soldier, second: int) -> None:
        friends = [s for s in self.living(second, soldier.side) if s is not soldier]
        if not friends:
            return
        friend = self.rng.choice(friends)
        bullets = self.rng.randint(1, 4)
        weapon = _MAIN_WEAPON[soldier.side]
        self._fire(soldier, second, weapon, bullets, friend, bullets * _BODY_DAMAGE, hits=bullets)
        if self.rng.random() < 0.1:
            soldier.counts["team_kills"] += 1
            self._do("kill", soldier, second, friend, weapon=weapon)
            if self.rng.random() < 0.3:
                soldier.counts["team_gibs"] += 1
                self._do("gib", soldier, second, friend)
            self._fall(friend, second, None, mate=soldier)

    def objectives(self, attackers: int, attackers_won: bool) -> None:
        """Dynamite and repairs: who wins has blown up something that nobody defused."""
        planters = [s for s in self.soldiers if s.side == attackers]
        planters = [s for s in planters if s.place.fighter.kit == "engineer"] or planters[:1]
        defusers = [s for s in self.soldiers if s.side != attackers and s.place.fighter.kit == "engineer"]
        for planter in planters:
            planted = self.rng.randint(1 if attackers_won else 0, 3)
            self._work("plant", planter, planted)
            self._count(planter, "dynamite", shots=planted)
            self._work("repair", planter, self.rng.randrange(4))
            if defusers and planted > attackers_won:
                self._work("defuse", self.rng.choice(defusers), self.rng.randrange(planted))

    def _work(self, deed: Work, soldier: _Soldier, times: int) -> None:
        """Done while he was there; when exactly, nobody counts."""
        soldier.counts[_COUNTED_AS[deed]] += times
        for _ in range(times):
            self._do(deed, soldier, soldier.place.joined)

    def leave(self, soldier: _Soldier) -> None:
        """The end of the round, or of his part in it: what was going on ends."""
        soldier.down_at_the_end = self._end_death(soldier, soldier.place.left) if soldier.fell_at is not None else 0
        soldier.end_chain()
        soldier.longest("killing_spree", soldier.kill_run)
        soldier.longest("death_spree", soldier.death_run)
        if soldier.place.left < self.seconds:
            self._do("leave", soldier, soldier.place.left)

    def result(self, soldier: _Soldier) -> TruePlayer:
        """The player's round once it is over."""
        place, counts = soldier.place, soldier.counts
        weapons = {
            weapon: WeaponCounts(**{column: numbers[column] for column in _COLUMNS})
            for weapon, numbers in sorted(soldier.weapons.items())
            if any(numbers.values())
        }
        counts["bullets_fired"] = sum(numbers.shots for numbers in weapons.values())
        kills = sum(numbers.kills for numbers in weapons.values())
        helped = counts["kill_assists"] + 2 * counts["revives_given"] + counts["repairs"]
        counts["xp"] = 3 * kills + helped + 7 * (counts["dynamites_planted"] + counts["dynamites_defused"])
        return TruePlayer(
            fighter=place.fighter,
            side=soldier.side,
            weapons=weapons,
            counters={name: counts[name] for name in COUNTED},
            seconds_played=place.left - place.joined,
            seconds_dead=sum(soldier.waits) + soldier.down_at_the_end,
            waits=tuple(soldier.waits),
            falls=soldier.falls,
            victims=dict(soldier.victims),
        )
