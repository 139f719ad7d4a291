"""Settings of several game servers: what is each one's own, what falls back, what is refused, what children get."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from slomix_pipeline.settings import as_environment, load_settings

EU: dict[str, Any] = {"eu_sftp_host": "eu.example.org", "eu_sftp_user": "et", "eu_timezone": "Europe/Ljubljana"}
US: dict[str, Any] = {"us_2_gameserver_dir": "/srv/us", "us_2_discord_webhook": "https://example.invalid/t0ken"}
BOTH: dict[str, Any] = {"servers": "eu, us-2", **EU, **US}


def test_without_several_servers_the_settings_are_those_of_the_one() -> None:
    settings = load_settings(server="main", **EU)
    assert settings.game_servers == (settings,)
    assert settings.of_server("main") is settings
    assert settings.sftp_host is None


def test_each_server_has_its_own_and_falls_back_to_what_is_for_all() -> None:
    settings = load_settings(**BOTH, sftp_user="all", sftp_timeout="9 s", discord_webhook="https://example.invalid/all")
    eu, us = settings.game_servers
    assert (eu.server, us.server) == ("eu", "us-2")
    assert (eu.sftp_user, us.sftp_user) == ("et", "all")
    assert (str(eu.zone), str(us.zone)) == ("Europe/Ljubljana", "UTC")
    assert eu.sftp_timeout == us.sftp_timeout == settings.sftp_timeout
    assert [own.discord_webhook and own.discord_webhook.get_secret_value() for own in (eu, us)] == [
        "https://example.invalid/all",
        "https://example.invalid/t0ken",
    ]
    assert eu == settings.of_server("eu") and eu.game_servers == (eu,) and eu.servers == ()


def test_a_server_with_a_place_of_its_own_has_no_other() -> None:
    settings = load_settings(**BOTH, sftp_host="all.example.org")
    us = settings.of_server("us-2")
    assert (us.sftp_host, us.gameserver_dir, us.has_game_server) == (None, Path("/srv/us"), True)


def test_a_server_of_another_host_gets_no_password_and_no_host_key_of_the_first() -> None:
    mains = {"sftp_host": "main.example.org", "sftp_user": "et", "sftp_password": "p4ss", "sftp_port": 2222}
    settings = load_settings(servers="main,b", **mains, sftp_host_key="SHA256:x", b_sftp_host="b.example.org")
    main, b = settings.game_servers
    assert (main.sftp_port, main.sftp_host_key, main.sftp_password is None) == (2222, "SHA256:x", False)
    assert (b.sftp_user, b.sftp_port, b.sftp_host_key, b.sftp_password) == ("et", 22, None, None)


def test_no_server_can_keep_all_runs_busy_unless_somebody_says_so() -> None:
    assert [load_settings(**given).max_runs for given in ({}, BOTH, BOTH | {"max_runs": 2})] == [2, 3, 2]


def test_a_server_that_is_not_named_has_the_settings_of_all() -> None:
    settings = load_settings(**BOTH, timezone="America/Chicago")
    old = settings.of_server("old")
    assert (old.server, old.timezone, old.servers) == ("old", "America/Chicago", ())


def test_the_first_server_stands_for_the_deployment_where_one_has_to() -> None:
    assert load_settings(**BOTH).server == "eu"
    assert load_settings(**BOTH, server="us-2").server == "us-2"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"servers": "sftp,b"}, "'sftp' can't be told from the setting SLOMIX_SFTP_"),
        ({"servers": "a,discord"}, "'discord' can't be told from the setting SLOMIX_DISCORD_"),
        ({"servers": "site"}, "'site' can't be told from the setting SLOMIX_SITE_"),
        ({"servers": "env"}, "'env' can't be told from the setting SLOMIX_ENV_FILE"),
        ({"servers": "a-b,a_b"}, "the settings of 'a-b' and 'a_b' would both begin with SLOMIX_A_B_"),
        ({"servers": "a,a_sftp"}, "'a_sftp' can't be told from the setting SLOMIX_A_SFTP_HOST; .*keep SLOMIX_SERVER"),
        ({"servers": "a,b,a"}, "'a' is named twice"),
        ({"servers": "a,b c"}, "'b c' is no id"),
        ({"servers": "a,b", "server": "main"}, "SLOMIX_SERVER is 'main', which is none of SLOMIX_SERVERS"),
        ({"servers": "a,b", "a_sftp_hots": "x"}, "SLOMIX_A_SFTP_HOTS: sftp_hots can't be set for one game server"),
        ({"servers": "a,b", "b_session_gap": "9 h"}, "SLOMIX_B_SESSION_GAP: session_gap can't be set for one"),
        ({"servers": "a,b", "b_timezone": "Middle/Earth"}, "SLOMIX_B_TIMEZONE: .*unknown time zone"),
        ({"servers": "a-1,b", "a_1_sftp_port": "0"}, "SLOMIX_A_1_SFTP_PORT: .*greater than"),
        ({"servers": "a,b", "b_discord_summary_webhook": "x"}, "game server b: .*needs SLOMIX_DISCORD_WEBHOOK"),
        ({"servers": "a,b", "gameserver_dir": "/srv/x"}, "'a' and 'b' would both read the folder gamestats of /srv/x"),
        (
            {"servers": "a,b", "sftp_host": "H", "b_sftp_host": "h", "b_gamestats_folder": "./b"},
            "'a' and 'b' would both read the folder gametimes of sftp://None@h:22",
        ),
    ],
)
def test_what_could_be_mistaken_is_refused_in_words(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        load_settings(**given)


def test_servers_on_one_machine_may_have_folders_of_their_own() -> None:
    folders = {"b_gamestats_folder": "b/gamestats", "b_gametimes_folder": "b/gametimes"}
    settings = load_settings(servers="a,b", sftp_host="h", sftp_user="u", **folders)
    assert [own.gamestats_folder for own in settings.game_servers] == ["gamestats", "b/gamestats"]


def test_ids_of_which_one_begins_like_the_other_keep_their_own() -> None:
    settings = load_settings(servers="a,a-b", a_sftp_host="one", a_b_sftp_host="two")
    assert [own.sftp_host for own in settings.game_servers] == ["one", "two"]


def test_the_environment_and_the_file_give_each_server_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SLOMIX_SERVERS=a,b\nSLOMIX_A_SFTP_HOST=file\nslomix_b_sftp_host=file_b\n")
    monkeypatch.setenv("SLOMIX_ENV_FILE", str(tmp_path / ".env"))
    monkeypatch.setenv("SLOMIX_A_SFTP_HOST", "environment")
    monkeypatch.setenv("SLOMIX_B_SFTP_PORT", "")
    assert [own.sftp_host for own in load_settings().game_servers] == ["environment", "file_b"]


def test_children_get_every_servers_settings_with_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    given = load_settings(**BOTH, eu_sftp_password="p4ss", eu_sftp_timeout="7 s")
    for name, value in as_environment(given).items():
        monkeypatch.setenv(name, value)
    found = load_settings()
    assert found == given and found.game_servers == given.game_servers
    password = found.of_server("eu").sftp_password
    assert password is not None and password.get_secret_value() == "p4ss"


def test_no_secret_of_a_server_shows_or_stays_where_there_should_be_none() -> None:
    settings = load_settings(**BOTH, eu_sftp_password="p4ss", postgres_url="postgresql://p4ss")
    assert not any(secret in f"{settings!r} {settings.model_dump()}" for secret in ("p4ss", "t0ken"))
    told = as_environment(settings.without_secrets())
    assert not any(secret in f"{told}" for secret in ("p4ss", "t0ken"))
    assert told["SLOMIX_EU_TIMEZONE"] == "Europe/Ljubljana"


def test_a_refused_setting_shows_no_secret() -> None:
    with pytest.raises(ValidationError) as refused:
        load_settings(**BOTH, eu_sftp_password="p4ss", eu_sftp_port="many")
    assert "SLOMIX_EU_SFTP_PORT" in str(refused.value)
    assert "p4ss" not in str(refused.value) and "t0ken" not in str(refused.value)
