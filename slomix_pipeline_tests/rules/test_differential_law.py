"""The law of the differential: round 1 and the own numbers of round 2 make up the file of round 2."""

from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.formats.gamestats import ALLIES, AXIS, WeaponCounts
from slomix_pipeline.formats.weapons import WEAPONS
from slomix_pipeline.rules.differential import (
    round_one_players,
)
from slomix_pipeline.rules.policy import COUNTERS, POLICY, Policy
from slomix_pipeline_tests.building import make_line, make_stats, round_two

counts = st.builds(  # nobody hits more heads than he hits
    lambda misses, heads, shots, kills, deaths: WeaponCounts(misses + heads, shots, kills, deaths, heads),
    *[st.integers(0, 50)] * 5,
)
weapon_rows = st.dictionaries(st.sampled_from(WEAPONS), counts, max_size=4)
cumulative = tuple(name for name in COUNTERS if POLICY[name] is Policy.CUMULATIVE and name != "bullets_fired")
tails = st.fixed_dictionaries({name: st.integers(0, 3000) for name in cumulative})
tenths = st.integers(0, 200)


def added(first: WeaponCounts, second: WeaponCounts) -> WeaponCounts:
    columns = ("hits", "shots", "kills", "deaths", "headshots")
    return WeaponCounts(**{c: getattr(first, c) + getattr(second, c) for c in columns})


@given(weapon_rows, weapon_rows, tails, tails, tenths, tenths)
def test_round_1_and_the_own_numbers_of_round_2_make_up_the_cumulative_file(
    weapons: dict[str, WeaponCounts],
    more: dict[str, WeaponCounts],
    tail: dict[str, Any],
    grown: dict[str, int],
    played: int,
    played_more: int,
) -> None:
    none = WeaponCounts(0, 0, 0, 0, 0)
    first = make_line("ada", AXIS, 0, weapons=weapons, **tail | {"minutes_played": played / 10})
    second = make_line(
        "ada",
        ALLIES,
        1,
        weapons={w: added(weapons.get(w, none), more.get(w, none)) for w in weapons | more},
        **{name: tail[name] + grown[name] for name in cumulative} | {"minutes_played": (played + played_more) / 10},
    )
    ones, twos = round_one_players(make_stats(first)), round_two(first, second)
    assert all(not player.flags for player in (*ones, *twos))

    def total(name: str) -> int:
        return sum(getattr(player, name) for player in (*ones, *twos))

    for column in ("kills", "deaths", "hits", "shots", "headshots"):
        assert total(column) == second.total(column)
    assert total("seconds_played") == (played + played_more) * 6
    for name in cumulative:
        assert sum(player.counters[name] or 0 for player in (*ones, *twos)) == second.tail[name]
    for weapon, expected in second.weapons.items():
        assert reduce(added, [(player.weapons or {}).get(weapon, none) for player in (*ones, *twos)], none) == expected
