"""Several game servers as one: whoever works for one of them asks for it by its id.

Does not belong here: how files are fetched (``sftp``, ``local``), which kind of source one is (``choose``).
"""

from slomix_pipeline.gameserver.choose import NoGameServer, open_game_server
from slomix_pipeline.gameserver.source import GameServer
from slomix_pipeline.settings import Settings


class SeveralGameServers(NoGameServer):
    """Each has a connection of its own, from when it is first asked for; of others nothing can be had."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._opened: dict[str, GameServer] = {}

    def of(self, server: str) -> GameServer:
        if server not in self._opened:
            self._opened[server] = open_game_server(self._settings.of_server(server))
        return self._opened[server]

    def describe(self) -> str:
        return f"game servers {', '.join(self._settings.servers)}"

    def close(self) -> None:
        for server in self._opened.values():
            server.close()


def open_game_servers(settings: Settings) -> GameServer:
    """The game server that the settings name, or several. Nothing is connected before the first call."""
    return SeveralGameServers(settings) if settings.servers else open_game_server(settings)
