"""Which game server is used: SFTP, a local folder, or none.

Belongs here: the choice by the settings. Does not belong here: how files are fetched (``sftp``, ``local``).
"""

from slomix_pipeline.gameserver.source import GameServer, NotAsked, RemoteFile
from slomix_pipeline.settings import Settings


class NoGameServer(GameServer):
    """Stands where no game server is configured, or none is to be asked: every call says which settings to set. What is
    stored will do."""

    def describe(self) -> str:
        return "no game server"

    def folder_changed_at(self, folder: str) -> int:
        raise _nothing_configured()

    def list_folder(self, folder: str) -> list[RemoteFile]:
        raise _nothing_configured()

    def read(self, folder: str, name: str, limit: int) -> bytes:
        raise _nothing_configured()

    def read_end(self, folder: str, name: str, limit: int) -> bytes:
        raise _nothing_configured()

    def may_write(self, folder: str) -> bool | None:
        raise _nothing_configured()

    def write(self, folder: str, name: str, data: bytes) -> None:
        raise _nothing_configured()

    def close(self) -> None:
        return


def _nothing_configured() -> NotAsked:
    return NotAsked("No game server is configured: set SLOMIX_SFTP_HOST and SLOMIX_SFTP_USER, or SLOMIX_GAMESERVER_DIR")


def open_game_server(settings: Settings) -> GameServer:
    """The game server the settings name: SFTP when there is a host, else the local folder.

    Nothing is connected before the first call.
    """
    # Imported here: paramiko takes a tenth of a second, and loading Dagster definitions needs none of it.
    if settings.sftp_host:
        from slomix_pipeline.gameserver.sftp import SftpFolder

        return SftpFolder(settings)
    if settings.gameserver_dir:
        from slomix_pipeline.gameserver.local import LocalFolder

        return LocalFolder(settings.gameserver_dir)
    return NoGameServer()
