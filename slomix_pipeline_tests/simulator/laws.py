"""What holds of the players of every simulated round, and their lines by GUID."""

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, PlayerLine, StatsFile
from slomix_pipeline.simulator.values import TruePlayer


def lines(stats: StatsFile) -> dict[str, PlayerLine]:
    return {line.guid: line for line in stats.players}


def check_laws(players: list[TruePlayer]) -> None:
    for side in (AXIS, ALLIES):
        assert sum(p.kills for p in players if p.side == side) == sum(p.deaths for p in players if p.side != side)
        assert sum(p.damage_given for p in players if p.side == side) == sum(
            p.damage_received for p in players if p.side != side
        )
    for one, other in (("team_damage_given", "team_damage_received"), ("revives_given", "times_revived")):
        assert sum(p.counters[one] for p in players) == sum(p.counters[other] for p in players)
    for weapon in {weapon for p in players for weapon in p.weapons}:
        held = [p.weapons[weapon] for p in players if weapon in p.weapons]
        assert sum(counts.kills for counts in held) == sum(counts.deaths for counts in held)
    for p in players:
        assert 0 <= p.headshots <= p.hits <= p.shots
        assert p.counters["headshot_kills"] <= p.kills
        assert p.counters["bullets_fired"] == p.shots
        assert p.revives_given == (p.weapons["syringe"].hits if "syringe" in p.weapons else 0)
        assert 0 <= p.seconds_dead <= p.seconds_played and p.seconds_played % 6 == 0
        assert min(p.counters.values()) >= 0
