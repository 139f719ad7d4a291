"""The longest run of evenings won."""

from slomix_pipeline.rules.records import NightEnded, Run, longest_runs


def nights(guid: str, ended: str) -> list[NightEnded]:
    """Evenings in order: w(on), l(ost), d(rawn)."""
    won = {"w": True, "l": False, "d": None}
    return [NightEnded(guid, f"{guid}{number}", won[letter]) for number, letter in enumerate(ended)]


def test_the_longest_run_is_told_with_its_ends_and_a_draw_or_a_loss_ends_one() -> None:
    assert longest_runs(nights("A", "wwdwwwlww")) == [Run("A", ("A3", "A4", "A5"), goes_on=False)]


def test_everybody_with_a_run_as_long_is_told_and_one_that_is_the_last_goes_on() -> None:
    found = longest_runs([*nights("A", "wwl"), *nights("B", "lww"), *nights("C", "w")])
    assert found == [Run("A", ("A0", "A1"), goes_on=False), Run("B", ("B1", "B2"), goes_on=True)]


def test_who_never_won_has_no_run() -> None:
    assert longest_runs(nights("A", "ldl")) == []


def test_one_evening_won_is_no_run() -> None:
    assert longest_runs(nights("A", "wlw")) == []
