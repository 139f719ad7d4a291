"""What is made of a game server that fails as the simulated one can, and that all is well once it works again."""

from datetime import timedelta
from pathlib import Path

import pytest

from slomix_pipeline.gameserver.source import GameServer, PermanentError, TransientError
from slomix_pipeline.simulator.sftp_faults import SftpFault
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline_tests.gameserver_fixtures import CONTENT, FOLDER, NAME, connected


def whole(source: GameServer) -> bytes:
    assert NAME in [file.name for file in source.list_folder(FOLDER)]
    return source.read(FOLDER, NAME, 1 << 20)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (SftpFault.STALLS, TransientError),
        (SftpFault.DROPS, TransientError),
        (SftpFault.REFUSES_LOGIN, PermanentError),
        (SftpFault.REFUSES_FILES, PermanentError),
    ],
)
def test_each_fault_is_told_as_what_it_is_and_is_over_when_it_is(
    server: SftpServer, fault: SftpFault, error: type[Exception]
) -> None:
    with connected(server, sftp_timeout=timedelta(seconds=2)) as source:
        assert whole(source) == CONTENT
        server.misbehave(fault)
        with pytest.raises(error):
            whole(source)
        server.misbehave(None)
    with connected(server) as source:
        assert whole(source) == CONTENT


def test_a_half_list_is_whole_again_afterwards(server: SftpServer, files: Path) -> None:
    for number in range(9):
        (files / FOLDER / f"{number}.txt").write_bytes(CONTENT)
    with connected(server) as source:
        server.misbehave(SftpFault.LISTS_HALF)
        assert 0 < len(source.list_folder(FOLDER)) < 10
        server.misbehave(None)
        assert len(source.list_folder(FOLDER)) == 10
