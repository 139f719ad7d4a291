"""Settings: durations, defaults, refusals, and handing them on to other processes."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from slomix_pipeline.setting_texts import parse_duration
from slomix_pipeline.settings import as_environment, load_settings, project_folder


@pytest.mark.parametrize(
    ("text", "seconds"), [("60 min", 3600), ("6 h", 21600), ("20s", 20), ("90", 90), ("2 d", 172800), ("1.5 h", 5400)]
)
def test_durations_are_written_with_their_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 fortnights", "-3 min", "1:30"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write for example"):
        parse_duration(text)


def test_the_pairing_window_must_stay_below_the_session_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOMIX_PAIRING_WINDOW", "60 min")
    with pytest.raises(ValidationError, match="SLOMIX_PAIRING_WINDOW must be shorter"):
        load_settings()


def test_an_unknown_zone_is_refused_with_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOMIX_TIMEZONE", "Middle/Earth")
    with pytest.raises(ValidationError, match="Europe/Ljubljana"):
        load_settings()


def test_a_relative_home_counts_from_the_project_folder() -> None:
    assert load_settings().home == project_folder() / ".slomix"
    assert load_settings(home=Path("elsewhere/deep")).home == project_folder() / "elsewhere" / "deep"


def test_empty_variables_count_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOMIX_SFTP_HOST", "")
    assert not load_settings().has_game_server


def test_the_environment_wins_over_the_file_where_it_says_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("SLOMIX_SERVER=of_the_file\nslomix_filler_maps='A, b'\nSLOMIX_SFTP_PORT=\nOTHER=1\n")
    monkeypatch.setenv("SLOMIX_ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setenv("SLOMIX_UI_PORT", "4000")
    monkeypatch.setenv("SLOMIX_FILLER_MAPS", "")
    found = load_settings()
    assert (found.server, found.filler_maps, found.sftp_port, found.ui_port) == ("of_the_file", ("a", "b"), 22, 4000)
    monkeypatch.setenv("SLOMIX_SERVER", "of_the_environment")
    assert load_settings().server == "of_the_environment"
    assert load_settings(server="asked_for").server == "asked_for"


def test_a_line_of_the_file_without_a_value_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SLOMIX_SFTP_PORT\nSLOMIX_SERVER=here\n")
    monkeypatch.setenv("SLOMIX_ENV_FILE", str(tmp_path / ".env"))
    assert (load_settings().sftp_port, load_settings().server) == (22, "here")


def test_handed_on_settings_arrive_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    given = load_settings(
        server="second",
        timezone="Europe/Ljubljana",
        filler_maps=("a", "b"),
        session_gap=timedelta(minutes=70),
        sftp_password="s3cret",
        sftp_known_hosts=Path("/etc/hosts"),
    )
    for name, value in as_environment(given).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == given


def test_secrets_do_not_show_in_a_printed_setting() -> None:
    settings = load_settings(
        sftp_password="s3cret", discord_webhook="https://example.invalid/t0ken", postgres_url="p4ss"
    )
    shown = f"{settings!r} {settings} {settings.model_dump()}"
    assert not any(secret in shown for secret in ("s3cret", "t0ken", "p4ss"))
