"""What teams are called: a known team's name, a tag they share, else their letter; never by chance."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.rules.team_names import (
    NAME_LENGTH,
    UNNAMED,
    KnownTeam,
    NameSource,
    TeamName,
    common_tag,
    name_teams,
)

RED = KnownTeam("Red Foxes", 0xFF0000, frozenset("abcd"))
BLUE = KnownTeam("Blue Owls", None, frozenset("wxyz"))


def rosters(a: str, b: str) -> dict[str, dict[str, str]]:
    """Players of one letter each, whose names are nothing alike."""
    return {team: {guid: f"{guid}{ord(guid)}" for guid in guids} for team, guids in (("A", a), ("B", b))}


def shown(a: str, b: str, *known: KnownTeam) -> tuple[str, ...]:
    names = name_teams(rosters(a, b), known)
    return names["A"].shown, names["B"].shown


# --- known teams ---


def test_a_team_most_of_whose_players_are_of_a_known_team_has_its_name_and_colour() -> None:
    assert name_teams(rosters("abm", "xyn"), [RED, BLUE]) == {
        "A": TeamName("A", "Red Foxes", NameSource.KNOWN, 0xFF0000),
        "B": TeamName("B", "Blue Owls", NameSource.KNOWN, None),
    }


def test_the_letter_is_seen_beside_the_name() -> None:
    assert shown("abc", "mno", RED) == ("Red Foxes (A)", "Team B")


@pytest.mark.parametrize(
    ("a", "b", "known"),
    [
        pytest.param("abmn", "xyzw", [RED], id="half of the players are not most of them"),
        pytest.param("abc", "xyz", [RED, KnownTeam("Others", None, frozenset("abc"))], id="another fits as well"),
        pytest.param("abc", "xyz", [KnownTeam("All", None, frozenset("abcxyz"))], id="the opponents are of it too"),
        pytest.param("", "", [RED], id="nobody is in the team"),
        pytest.param("abc", "xyz", [], id="none is known"),
    ],
)
def test_a_known_team_that_does_not_fit_alone_names_nobody(a: str, b: str, known: list[KnownTeam]) -> None:
    assert name_teams(rosters(a, b), known) == UNNAMED


def test_of_two_known_teams_the_one_of_more_players_fits() -> None:
    assert shown(
        "abcm", "xyz", KnownTeam("Some", None, frozenset("abm")), KnownTeam("More", None, frozenset("abcm"))
    ) == (
        "More (A)",
        "Team B",
    )


def test_a_known_name_goes_before_a_tag_and_is_not_given_twice() -> None:
    tagged = {"a": "[owl] ada", "b": "owl|bob", "c": "cyd.owl"}
    known = [KnownTeam("OWL", None, frozenset("xyz"))]
    names = name_teams({"A": tagged, "B": dict.fromkeys("xyz", "")}, known)
    assert (names["A"].shown, names["B"].shown) == ("Team A", "OWL (B)")
    names = name_teams({"A": tagged, "B": {}}, [KnownTeam("Night Owls", None, frozenset("abc"))])
    assert names["A"].shown == "Night Owls (A)"


# --- tags ---


@pytest.mark.parametrize(
    ("names", "tag"),
    [
        (["[owl] ada", "[owl] bob", "[owl] cyd"], "owl"),
        (["owl.ada", "bob.owl", "cyd"], "owl"),  # two thirds of three
        (["owl|ada", "|owl| bob", "=owl= cyd"], "owl"),
        (["{owl}ada", "owl-bob", "(owl) cyd"], "owl"),
        (["ada <owl>", "bob «owl»", "cyd :owl:"], "owl"),
        (["O*W ada", "O*W bob"], "O*W"),
        (["ada NIGHT OWL", "bob NIGHT OWL", "cyd NIGHT OWL"], "NIGHT OWL"),
        (["ada *owl*", "owl bob"], "owl"),
        (["OwL ada", "OwL bob", "owl cyd"], "OwL"),  # as most spell it
        (["сова ада", "сова боб"], "сова"),
        (["owl ada fox", "owl bob fox", "owl cyd"], "owl"),  # the one of more players
    ],
)
def test_a_tag_stands_before_or_behind_most_names(names: list[str], tag: str) -> None:
    assert common_tag(names, ["eve", "fin"]) == tag


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "nobody is there"),
        (["[owl] ada"], "one player makes no team"),
        (["owl ada", "owl bob", "cyd", "dan"], "a half is not two thirds"),
        (["ada", "ada", "ada"], "a name is no tag of itself"),
        (["owlada", "owlbob"], "nothing parts tag and name"),
        (["x ada", "x bob"], "one character is none"),
        (["- ada", "- bob", "*** cyd"], "signs alone are none"),
        ([f"{'o' * 25} ada", f"{'o' * 25} bob"], "too long for a tag"),
        (["a owl b", "c owl d"], "it stands within the names"),
    ],
)
def test_what_is_no_tag_of_most_names_names_nobody(names: list[str], why: str) -> None:
    assert common_tag(names, []) is None, why


def test_a_tag_that_an_opponent_wears_names_neither_team() -> None:
    a, b = {"a": "owl ada", "b": "owl bob"}, {"x": "owl xeo", "y": "owl yun", "z": "zed"}
    assert name_teams({"A": a, "B": b}, []) == UNNAMED
    assert name_teams({"A": a, "B": {"x": "OWL|xeo", "y": "fox yun"}}, []) == UNNAMED


def test_both_teams_may_be_called_by_their_tags() -> None:
    names = name_teams({"A": {"a": "owl ada", "b": "owl bob"}, "B": {"x": "xeo [fox]", "y": "yun [fox]"}}, [])
    assert {team: (n.shown, n.source, n.colour) for team, n in names.items()} == {
        "A": ("owl (A)", NameSource.TAG, None),
        "B": ("fox (B)", NameSource.TAG, None),
    }


# --- laws ---

NAMES = st.lists(st.text("aB .|[]^*é", max_size=12), max_size=7)
KNOWN = st.lists(
    st.builds(
        KnownTeam, st.sampled_from(["one", "two", "three"]), st.none(), st.frozensets(st.sampled_from("0123456789"))
    ),
    unique_by=lambda team: team.name,
    max_size=3,
)


@given(NAMES, NAMES, KNOWN, st.randoms())
def test_the_same_players_are_always_called_the_same(
    a: list[str], b: list[str], known: list[KnownTeam], random: Random
) -> None:
    first = {"A": {str(i): name for i, name in enumerate(a)}, "B": {str(9 - i): name for i, name in enumerate(b)}}
    shuffled = {team: dict(random.sample(sorted(roster.items()), len(roster))) for team, roster in first.items()}
    names = name_teams(first, known)
    assert name_teams(shuffled, random.sample(known, len(known))) == names
    assert names.keys() == {"A", "B"}
    assert names["A"].shown != names["B"].shown
    assert all(
        n.name and (n.source is NameSource.LETTER or n.shown == f"{n.name} ({team})") for team, n in names.items()
    )


@given(NAMES, NAMES)
def test_teams_that_change_places_take_their_names_along(a: list[str], b: list[str]) -> None:
    one, two = ({str(i): name for i, name in enumerate(names)} for names in (a, b))
    names, swapped = name_teams({"A": one, "B": two}, []), name_teams({"A": two, "B": one}, [])
    assert [swapped[team].source for team in "BA"] == [names[team].source for team in "AB"]
    for team, other in ("AB", "BA"):
        if names[team].source is NameSource.TAG:
            assert swapped[other].name == names[team].name


@given(NAMES)
def test_a_tag_can_be_shown(names: list[str]) -> None:
    tag = common_tag(names, [])
    assert tag is None or (len(tag) in NAME_LENGTH and tag == tag.strip() and any(map(str.isalnum, tag)))
