"""A game server's folders, local and behind a real SFTP server on 127.0.0.1, for the tests of ``gameserver``.

Belongs here: what those test modules share. Does not belong here: what they expect.
"""

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.gameserver.source import GameServer
from slomix_pipeline.settings import Settings
from slomix_pipeline.simulator.sftp_server import SftpServer

USER, PASSWORD = "collector", "correct horse battery"
FOLDER = "gamestats"
NAME = "2026-02-02-211352-etl_adlernest-round-1.txt"
CONTENT = b"^a#^7p^au^7ran^a^7 line one\n" * 200


@pytest.fixture
def nothing_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings, SSH agent, default keys or known hosts of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith("SLOMIX_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """What the game server holds."""
    base = tmp_path / "files"
    (base / FOLDER / "sub").mkdir(parents=True)
    (base / "gametimes").mkdir()
    (base / FOLDER / NAME).write_bytes(CONTENT)
    os.utime(base / FOLDER / NAME, (1_770_000_000, 1_770_000_000))
    return base


@pytest.fixture
def server(files: Path) -> Iterator[SftpServer]:
    with SftpServer(files, USER, PASSWORD) as running:
        yield running


def settings_for(port: int, **changed: Any) -> Settings:
    values: dict[str, Any] = {
        "sftp_host": "127.0.0.1",
        "sftp_port": port,
        "sftp_user": USER,
        "sftp_password": PASSWORD,
        "sftp_timeout": timedelta(seconds=20),
    }
    return Settings(_env_file=None, **(values | changed))  # pydantic-settings' own parameter


def connected(server: SftpServer, **changed: Any) -> GameServer:
    return open_game_server(settings_for(server.port, **({"sftp_host_key": server.host_key_fingerprint} | changed)))


@pytest.fixture(params=["folder", "sftp"])
def source(request: pytest.FixtureRequest, files: Path) -> Iterator[GameServer]:
    if request.param == "folder":
        with open_game_server(Settings(_env_file=None, gameserver_dir=files)) as local:
            yield local
    else:
        server = request.getfixturevalue("server")
        with connected(server) as remote:
            yield remote


@pytest.fixture
def scripts(files: Path) -> Path:
    """The folder that is written to, as the files in it."""
    (files / "scripts").mkdir()
    return files / "scripts"


def new_key(passphrase: str | None = None) -> tuple[bytes, str]:
    """A new key: the private file's bytes and the public line."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    return key.export_private_key(passphrase=passphrase, rounds=50), key.export_public_key().decode().strip()


async def never() -> None:
    """An answer that does not come."""
    await asyncio.sleep(3600)
