"""The simulated game server and the home it plays in, for ``slomix demo`` and for ``slomix run`` without a real one.

Belongs here: starting it, and the settings that point the pipeline at it; and those with which the pages answer what is
typed on the stand-in of Discord.
"""

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.runtime.home import LOCK
from slomix_pipeline.setting_texts import OFF
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.site.interactions.commands import registration
from slomix_pipeline.site.interactions.endpoint import PATH

_MARK = "simulated-evening"  # only a folder that holds this file is ever emptied
_USER = "demo"


def demo_home(settings: Settings) -> Path:
    """The home of simulated evenings: invented players never share a database with real ones."""
    return settings.home / "demo"


def empty_demo_home(home: Path) -> None:
    """A fresh start: evenings that overlap would melt into one session. For the home's sole owner, whose lock stays.

    Raises:
        FileExistsError: the folder was not made by this function.
    """
    found = [path for path in home.iterdir() if path.name != LOCK]
    if found and not (home / _MARK).exists():
        raise FileExistsError(f"{home} is not a demo home; move it away or choose another SLOMIX_HOME")
    for path in found:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    (home / _MARK).write_text("Emptied whenever a simulated evening starts.\n")


@contextmanager
def simulated_server(settings: Settings) -> Iterator[tuple[Settings, Path]]:
    """A real SFTP server over an empty folder. Gives the settings that use it, and the folder to play into."""
    from slomix_pipeline.simulator.sftp_server import SftpServer  # loads asyncssh

    home = demo_home(settings)
    folder = home / "gameserver"
    for name in ("gamestats", "gametimes"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    password = secrets.token_urlsafe(12)
    with SftpServer(folder, _USER, password) as server:
        yield (
            load_settings(
                home=home,
                server="demo",
                servers=(),
                timezone="UTC",
                postgres_url=None,
                discord_webhook=None,
                discord_summary_webhook=None,
                discord_board_webhook=None,
                discord_dev_webhook=None,
                discord_admin_webhook=None,
                discord_application_id=None,
                discord_public_key=None,
                discord_guild=None,
                discord_bot_token=None,
                link_postgres_url=None,
                backup_at=OFF,  # what is emptied at the next start is not kept
                backup_folder=None,
                gameserver_dir=None,
                sftp_host="127.0.0.1",
                sftp_port=server.port,
                sftp_user=_USER,
                sftp_password=SecretStr(password),
                sftp_key_file=None,
                sftp_host_key=server.host_key_fingerprint,
                gamestats_folder="gamestats",
                gametimes_folder="gametimes",
                session_over_after=max(3 * settings.demo_round_every, timedelta(seconds=30)),
            ),
            folder,
        )


def answering_stand_in(settings: Settings, page: StandIn, site_port: int) -> Settings:
    """The settings with which the pages on ``site_port`` answer what is typed on the stand-in: it has an application
    and a key pair of its own, and knows all commands."""
    page.application.commands = registration()
    page.application.endpoint = f"http://127.0.0.1:{site_port}{PATH}"
    return settings.model_copy(
        update={
            "discord_application_id": page.application.id,
            "discord_public_key": page.application.public_key,
            "discord_guild": page.application.guild,
            "discord_api": page.api_url,
        }
    )
