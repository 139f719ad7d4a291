"""The longest run of evenings won."""

from slomix_pipeline.rules.records import EveningEnded, Run, longest_runs


def evenings(guid: str, ended: str) -> list[EveningEnded]:
    """Evenings in order: w(on), or not."""
    return [
        EveningEnded(f"{guid}{number}", [guid] if letter == "w" else [], [] if letter == "w" else [guid])
        for number, letter in enumerate(ended)
    ]


def test_the_longest_run_is_told_with_its_ends_and_an_evening_not_won_ends_one() -> None:
    assert longest_runs(evenings("A", "wwlwwwlww")) == [Run("A", 3, "A3", "A5", goes_on=False)]


def test_everybody_with_a_run_as_long_is_told_and_one_that_is_the_last_goes_on() -> None:
    found = longest_runs([*evenings("A", "wwl"), *evenings("B", "lww"), *evenings("C", "w")])
    assert found == [Run("A", 2, "A0", "A1", goes_on=False), Run("B", 2, "B1", "B2", goes_on=True)]


def test_who_stayed_away_from_an_evening_goes_on_with_his_run() -> None:
    found = longest_runs([*evenings("A", "w"), *evenings("B", "wl"), *evenings("A", "w")])
    assert found == [Run("A", 2, "A0", "A0", goes_on=True)]


def test_who_never_won_has_no_run() -> None:
    assert longest_runs(evenings("A", "ll")) == []


def test_one_evening_won_is_no_run() -> None:
    assert longest_runs(evenings("A", "wlw")) == []
