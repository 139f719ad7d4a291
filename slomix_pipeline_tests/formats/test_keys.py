"""Keys: made and read in one place."""

from datetime import datetime

import pytest

from slomix_pipeline.formats.filenames import parse_file_name
from slomix_pipeline.formats.keys import file_key, round_key, server_of, session_key, stem_of

STAMP = datetime(2026, 3, 4, 21, 5, 9)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("2026-03-04-210509-supply-round-1.txt", "main:2026-03-04-210509-supply-round-1"),
        ("2026-03-04-210509-supply-round-1-endstats.txt", "main:2026-03-04-210509-supply-round-1-endstats"),
        ("gametime-supply-R1-1772658309.json", "main:gametime-supply-R1-1772658309"),
        ("2026-03-04-210509-etl.v1.2-round-2.txt", "main:2026-03-04-210509-etl.v1.2-round-2"),
        ("2026-03-04-210509-supply-round-1_ws.txt", None),
        ("2026-13-04-210509-supply-round-1.txt", None),
        ("notes.txt", None),
    ],
)
def test_files_that_are_of_a_round_have_a_key(name: str, key: str | None) -> None:
    assert file_key("main", parse_file_name(name)) == key


def test_the_key_of_a_round_is_that_of_its_stats_file() -> None:
    file = parse_file_name("2026-03-04-210509-supply-round-1.txt")
    assert round_key("main", file.stem) == file_key("main", file)


def test_a_session_has_the_key_of_the_stamp_that_its_first_round_has() -> None:
    file = parse_file_name("2026-03-04-210509-supply-round-1.txt")
    assert file.stamp == STAMP
    assert session_key("main", STAMP) == "main:2026-03-04-210509"


@pytest.mark.parametrize("key", [session_key("eu_1-b", STAMP), round_key("eu_1-b", "2026-03-04-210509-a-round-1")])
def test_a_key_says_its_server_and_what_stands_behind_it(key: str) -> None:
    assert server_of(key) == "eu_1-b"
    assert f"{server_of(key)}:{stem_of(key)}" == key
