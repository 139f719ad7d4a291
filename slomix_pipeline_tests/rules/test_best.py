"""Who was best of a team: by impact, of those who were there for half of what was played; and who comes next."""

from dataclasses import dataclass, replace

from slomix_pipeline.rules.best import best_of, next_best


@dataclass(frozen=True)
class Someone:
    """A player's numbers."""

    name: str
    impact: float | None
    of_the_time: float | None = 1.0
    damage_given: int | None = 1
    revives_given: int | None = 1
    objectives: int | None = 1
    denied_playtime: int | None = 1


ADA, BEA, CID = Someone("Ada", 1.31), Someone("Bea", 1.18), Someone("Cid", 0.51)
TEAM = (CID, BEA, ADA)


def test_the_best_is_who_had_most_impact_and_the_next_best_comes_after_all_who_were_as_good() -> None:
    assert (best_of(TEAM), next_best(TEAM)) == ((ADA,), BEA)
    nearly = replace(BEA, impact=1.28)  # 3 % less is no difference
    assert (best_of((CID, nearly, ADA)), next_best((CID, nearly, ADA))) == ((ADA, nearly), CID)


def test_who_was_there_for_less_than_half_of_what_was_played_is_neither() -> None:
    assert best_of((CID, BEA, replace(ADA, of_the_time=0.5))) == (replace(ADA, of_the_time=0.5),)
    late = replace(ADA, of_the_time=0.49)
    assert (best_of((CID, BEA, late)), next_best((CID, BEA, late))) == ((BEA,), CID)
    unknown = replace(ADA, of_the_time=None)
    assert best_of((CID, BEA, unknown)) == (BEA,)


def test_that_nobody_was_there_for_long_makes_nobody_the_best() -> None:
    assert best_of([replace(one, of_the_time=0.4) for one in TEAM]) == ()


def test_where_the_best_can_not_be_said_there_is_no_next_best() -> None:
    for team in ((ADA, replace(BEA, impact=None)), (ADA,), (), [replace(ADA, name=str(number)) for number in range(4)]):
        assert (best_of(team), next_best(team)) == ((), None)


def test_where_all_are_as_good_nobody_comes_next() -> None:
    assert next_best((ADA, replace(ADA, name="Bea"))) is None
