"""Whom the SFTP source trusts, and how it logs in."""

import traceback
from pathlib import Path

import paramiko
import pytest

from slomix_pipeline.gameserver.source import GameServer, PermanentError
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline_tests.gameserver_fixtures import FOLDER, PASSWORD, USER, connected, new_key

pytestmark = pytest.mark.usefixtures("nothing_of_the_users")

# --- trusting the host ---


def test_an_unknown_host_key_is_refused_with_the_way_to_accept_it(server: SftpServer) -> None:
    with pytest.raises(PermanentError) as refused:
        connected(server, sftp_host_key=None).list_folder(FOLDER)
    text = str(refused.value)
    assert f"set SLOMIX_SFTP_HOST_KEY={server.host_key_fingerprint} in .env" in text
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in text
    assert "ssh-keyscan" in text


def test_another_key_than_the_pinned_one_is_refused_with_a_warning(server: SftpServer) -> None:
    pinned = "SHA256:" + "A" * 43
    with pytest.raises(PermanentError, match="WARNING") as refused:
        connected(server, sftp_host_key=pinned).list_folder(FOLDER)
    assert pinned in str(refused.value)
    assert server.host_key_fingerprint in str(refused.value)


def test_a_pinned_key_needs_no_known_hosts_file_and_overrules_it(server: SftpServer, tmp_path: Path) -> None:
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{server.port} {new_key()[1]}\n")
    with connected(server, sftp_known_hosts=known_hosts) as source:
        assert source.list_folder(FOLDER)


def known_as(server: SftpServer, lines: str, tmp_path: Path) -> GameServer:
    """A source that trusts a known_hosts file of these lines; HOST and KEY stand for the server's own."""
    with paramiko.Transport(("127.0.0.1", server.port)) as transport:
        transport.start_client()
        key = transport.get_remote_server_key()
    known_hosts = tmp_path / "known_hosts"
    text = lines.replace("HOST", f"[127.0.0.1]:{server.port}").replace("KEY", f"{key.get_name()} {key.get_base64()}")
    known_hosts.write_text(text)
    return connected(server, sftp_host_key=None, sftp_known_hosts=known_hosts)


def test_a_host_in_known_hosts_is_trusted_among_lines_nobody_understands(server: SftpServer, tmp_path: Path) -> None:
    lines = "# comment\n\n@cert-authority * KEY\nother ssh-ed25519 AAA\ngarbage\nHOST  KEY  admin@home\n"
    with known_as(server, lines, tmp_path) as source:
        assert source.list_folder(FOLDER)


def test_a_hashed_line_of_known_hosts_is_understood(server: SftpServer, tmp_path: Path) -> None:
    hashed = paramiko.HostKeys.hash_host(f"[127.0.0.1]:{server.port}")
    with known_as(server, f"{hashed} KEY\n", tmp_path) as source:
        assert source.list_folder(FOLDER)


def test_a_changed_key_of_a_known_host_is_refused_with_a_warning(server: SftpServer, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="WARNING: .*known_hosts has SHA256:"):
        known_as(server, f"HOST {new_key()[1]}\n", tmp_path).list_folder(FOLDER)


def test_a_revoked_key_is_not_trusted(server: SftpServer, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="not a known host"):
        known_as(server, "HOST KEY\n@revoked * KEY\n", tmp_path).list_folder(FOLDER)


# --- logging in ---


def test_a_wrong_password_is_permanent_and_named(server: SftpServer) -> None:
    with pytest.raises(PermanentError, match="refuses the login .*SLOMIX_SFTP_PASSWORD"):
        connected(server, sftp_password="wrong").list_folder(FOLDER)


@pytest.mark.parametrize("passphrase", [None, "open sesame"])
def test_a_key_file_logs_in(files: Path, tmp_path: Path, passphrase: str | None) -> None:
    private, public = new_key(passphrase)
    (tmp_path / "key").write_bytes(private)
    with (
        SftpServer(files, USER, PASSWORD, authorized_key=public) as server,
        connected(server, sftp_password=None, sftp_key_file=tmp_path / "key", sftp_key_passphrase=passphrase) as source,
    ):
        assert source.list_folder(FOLDER)


def test_a_key_the_server_does_not_know_is_permanent(files: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(new_key()[0])
    with (
        SftpServer(files, USER, PASSWORD, authorized_key=new_key()[1]) as server,
        pytest.raises(PermanentError, match="refuses the login .*SLOMIX_SFTP_KEY_FILE"),
    ):
        connected(server, sftp_password=None, sftp_key_file=tmp_path / "key").list_folder(FOLDER)


@pytest.mark.parametrize("passphrase", [None, "wrong one"])
def test_an_encrypted_key_without_its_passphrase_is_permanent(
    server: SftpServer, tmp_path: Path, passphrase: str | None
) -> None:
    (tmp_path / "key").write_bytes(new_key("open sesame")[0])
    with pytest.raises(PermanentError, match="SLOMIX_SFTP_KEY_PASSPHRASE"):
        connected(server, sftp_key_file=tmp_path / "key", sftp_key_passphrase=passphrase).list_folder(FOLDER)


def test_a_missing_key_file_is_permanent(server: SftpServer, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="SLOMIX_SFTP_KEY_FILE"):
        connected(server, sftp_key_file=tmp_path / "nowhere").list_folder(FOLDER)


def test_without_key_and_password_the_default_keys_are_tried(files: Path, tmp_path: Path) -> None:
    private, public = new_key()
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    with SftpServer(files, USER, PASSWORD, authorized_key=public) as server:
        with pytest.raises(PermanentError, match="No authentication methods available"):
            connected(server, sftp_password=None).list_folder(FOLDER)
        (tmp_path / "home" / ".ssh" / "id_ed25519").write_bytes(private)
        with connected(server, sftp_password=None) as source:
            assert source.list_folder(FOLDER)


def test_no_secret_shows_in_texts_and_errors(server: SftpServer, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(new_key("open sesame")[0])
    sources = [
        connected(server, sftp_password="hunter2"),
        connected(server, sftp_password="hunter2", sftp_host_key=None),
        connected(server, sftp_password="hunter2", sftp_key_file=tmp_path / "key", sftp_key_passphrase="hunter2"),
    ]
    for source in sources:
        with pytest.raises(PermanentError) as failed:
            source.list_folder(FOLDER)
        shown = "".join(traceback.format_exception(failed.value))
        assert "hunter2" not in f"{shown}{source!r}{source}{source.describe()}{vars(source)}{failed.value!r}"
