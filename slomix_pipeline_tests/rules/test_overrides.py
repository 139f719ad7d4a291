"""What people decide otherwise than the rules: as the rules take it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from slomix_pipeline.rules.overrides import Override, OverrideKind, assign_decided_teams, meant_team
from slomix_pipeline.rules.pairing import Placed, pair_rounds
from slomix_pipeline.rules.rounds import work_out
from slomix_pipeline.rules.sessions import Stamped, group_into_sessions
from slomix_pipeline.rules.teams import Lineup
from slomix_pipeline.rules.validity import validity
from slomix_pipeline.rules.values import FiledRound, Status
from slomix_pipeline_tests.building import at, lobby, make_line, make_round

WINDOW = timedelta(minutes=45)
IN_WORDS = "decided by ref: a friendly"


def override(kind: OverrideKind, round_key: str, value: str, **more: Any) -> Override:
    known: dict[str, Any] = {
        "id": 1,
        "guid": None,
        "roster": (),
        "reason": "a friendly",
        "made_by": "ref",
        "made_at": datetime(2031, 5, 7, tzinfo=UTC),
    }
    return Override(kind=kind, round_key=round_key, value=value, **(known | more))


def placed(entry: FiledRound) -> Placed:
    return pair_rounds([entry], WINDOW)[entry.key]


# --- rounds ---


def test_a_round_that_is_taken_out_counts_in_no_score_and_no_total() -> None:
    entry = make_round(0)
    decided = override(OverrideKind.ROUND, entry.key, "does not count")
    found = validity(entry, placed(entry), [], (), decided)
    assert (found.unscored_reason, found.invalid_reason) == (IN_WORDS, IN_WORDS)


def test_a_round_with_bots_or_on_a_filler_map_can_be_made_to_count() -> None:
    bots = make_round(0, 1, *lobby(), make_line("OMNIBOT1", name="[BOT]x"))
    filler = make_round(0, 1, *lobby(), map_name="mp_sillyctf")
    for entry in (bots, filler):
        assert validity(entry, placed(entry), [], ("mp_sillyctf",)).invalid_reason
        decided = override(OverrideKind.ROUND, entry.key, "counts")
        assert validity(entry, placed(entry), [], ("mp_sillyctf",), decided) == (None, None)


def test_an_orphaned_round_2_stays_out_whatever_anybody_decides() -> None:
    orphan = make_round(0, 2, *lobby(rounds=1))
    decided = override(OverrideKind.ROUND, orphan.key, "counts")
    assert placed(orphan).status is Status.R2_ONLY
    assert validity(orphan, placed(orphan), [], (), decided).invalid_reason


def test_a_decision_about_one_round_is_about_no_other() -> None:
    there = lobby(minutes_played=8.0)
    rounds = [make_round(0, 1, *there), make_round(30, 1, *there, map_name="radar")]
    decided = override(OverrideKind.ROUND, rounds[0].key, "does not count")
    found = work_out(rounds, WINDOW, (), overrides=[decided]).validities
    assert [found[entry.key].invalid_reason for entry in rounds] == [IN_WORDS, None]


# --- sessions ---


@pytest.mark.parametrize(
    ("minutes", "begins", "sessions"),
    [
        ((0, 10, 20), {}, [3]),
        ((0, 10, 20), {"10": True}, [1, 2]),
        ((0, 10, 200), {"200": False}, [3]),
        ((0, 10, 200), {"10": True, "200": False}, [1, 2]),
        ((0, 10), {"0": False}, [2]),
        ((0, 10, 200), {"elsewhere": True}, [2, 1]),
    ],
    ids=["as stamps say", "cut", "joined", "both", "the first of all", "another round"],
)
def test_sessions_are_cut_and_joined_where_somebody_decided_so(
    minutes: tuple[int, ...], begins: dict[str, bool], sessions: list[int]
) -> None:
    rounds = [Stamped(str(minute), at(minute)) for minute in minutes]
    assert [len(s) for s in group_into_sessions(rounds, timedelta(minutes=60), begins)] == sessions


# --- teams ---


def test_a_team_is_meant_by_its_people_not_by_its_letter() -> None:
    decided = override(OverrideKind.WINNER, "r", "A", roster=("ada", "bob", "cyd"))
    assert meant_team(decided.value, decided.roster, {"ada": "A", "bob": "A", "cyd": "B"}) == "A"
    assert meant_team(decided.value, decided.roster, {"ada": "B", "bob": "B", "cyd": "A"}) == "B"
    assert meant_team(decided.value, decided.roster, {}) == "A"
    assert meant_team("draw", (), {"ada": "B"}) == "draw"


def test_the_decisions_of_a_session_are_those_about_its_rounds_and_the_last_one_counts() -> None:
    lineups = [Lineup("r", 1, {"ada": 1, "bob": 1, "cyd": 2, "dan": 2})]
    decided = [
        override(OverrideKind.TEAM, "r", "B", guid="ada", id=1, roster=("cyd", "dan")),
        override(OverrideKind.TEAM, "other", "B", guid="bob", id=2, roster=("cyd", "dan")),
        override(OverrideKind.TEAM, "s", "open", guid="ada", id=3),
        override(OverrideKind.WINNER, "r", "A", id=4),
    ]
    found = assign_decided_teams(lineups, decided, {"r", "s"})
    assert (set(found.members("A")), set(found.members("B")), set(found.open)) == ({"bob"}, {"cyd", "dan"}, {"ada"})


def test_each_decision_means_the_teams_that_those_before_it_left() -> None:
    lineups = [Lineup("r", 1, {"ada": 1, "bob": 1, "cyd": 1, "dan": 2, "eve": 2, "fin": 2})]
    decided: list[Override] = []
    for number, guid in enumerate(("ada", "bob", "cyd"), start=1):
        meant = sorted(assign_decided_teams(lineups, decided, {"r"}).members("B") - {guid})
        decided.append(override(OverrideKind.TEAM, "r", "B", guid=guid, id=number, roster=tuple(meant)))
    team_of = assign_decided_teams(lineups, decided, {"r"}).team_of
    assert team_of["ada"] == team_of["bob"] == team_of["cyd"]
