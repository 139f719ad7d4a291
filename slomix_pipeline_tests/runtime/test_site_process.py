"""The public pages as a child: started again when they fell, and gone with their owner."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from slomix_pipeline.runtime import parts, site_process, supervisor
from slomix_pipeline.runtime.home import dagster_environment
from slomix_pipeline.runtime.site_process import SiteProcess
from slomix_pipeline.settings import load_settings
from slomix_pipeline.warehouse.database import Database

WITHIN = 60  # seconds


def until_it_answers(site: SiteProcess) -> None:
    deadline = time.monotonic() + WITHIN
    while not parts.answers(site.url):
        assert time.monotonic() < deadline, "the pages do not come up"
        time.sleep(0.1)


def test_pages_that_fell_come_up_again_and_end_with_their_owner(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_process, "_AGAIN_AFTER", 0.0)
    said: list[str] = []
    with SiteProcess(load_settings(home=tmp_path), database, supervisor.free_port(0), said.append) as site:
        until_it_answers(site)
        (first,) = site.numbers
        site.keep_up()
        assert site.numbers == (first,)
        os.kill(first, signal.SIGKILL)
        while site.numbers == (first,):
            site.keep_up()
        until_it_answers(site)
        assert len(said) == 1 and "site.log" in said[0]
    with pytest.raises(ProcessLookupError):
        os.kill(*site.numbers, 0)


def test_the_process_of_the_pages_is_told_no_secret(database: Database, tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, discord_webhook="https://example.org/hook", sftp_password="a password")
    told = str(SiteProcess(settings, database, 1, print)._environment)
    assert "a password" not in told and "example.org" not in told and "slomix_web" in told


def test_the_process_of_the_pages_knows_how_commands_are_signed_and_not_how_they_are_registered(
    database: Database, tmp_path: Path
) -> None:
    own = {"discord_application_id": "1" * 18, "discord_guild": "2" * 18, "discord_public_key": "ab" * 32}
    told = SiteProcess(
        load_settings(home=tmp_path, discord_bot_token="a token", **own), database, 1, print
    )._environment
    assert told["SLOMIX_DISCORD_PUBLIC_KEY"] == "ab" * 32 and "slomix_link" in told["SLOMIX_LINK_POSTGRES_URL"]
    assert "a token" not in str(told)


def test_the_processes_of_dagster_are_not_told_the_bot_token(database: Database, tmp_path: Path) -> None:
    told = dagster_environment(load_settings(home=tmp_path, discord_bot_token="a token"), database)
    assert "a token" not in str(told) and told["SLOMIX_HOME"] == str(tmp_path)


def test_the_process_of_the_pages_loads_nothing_that_only_others_need() -> None:
    program = "import sys, slomix_pipeline.site.serving; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ("altair", "pandas", "numpy", "dagster", "paramiko", "asyncssh", "vl_convert")
    told = subprocess.run([sys.executable, "-c", program, *heavy], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
