"""Whom the SFTP source trusts, and how it logs in."""

import traceback
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import asyncssh
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


# --- servers with keys of several types ---

KINDS = {"ed25519": "ssh-ed25519", "rsa": "ssh-rsa", "ecdsa": "ecdsa-sha2-nistp256"}


@cache  # an RSA key takes a while
def host_key(kind: str) -> asyncssh.SSHKey:
    """The server's key of a kind."""
    return asyncssh.generate_private_key(KINDS[kind])


@cache
def other_key(kind: str) -> asyncssh.SSHKey:
    """A key of that kind that is not the server's."""
    return asyncssh.generate_private_key(KINDS[kind])


def with_keys(monkeypatch: pytest.MonkeyPatch, kinds: Iterable[str]) -> None:
    """Servers started from here on have these host keys."""
    real = asyncssh.listen

    async def listen(*arguments: Any, **options: Any) -> Any:
        return await real(*arguments, **(options | {"server_host_keys": [host_key(kind) for kind in kinds]}))

    monkeypatch.setattr(asyncssh, "listen", listen)


def knowing(server: SftpServer, tmp_path: Path, *keys: asyncssh.SSHKey) -> GameServer:
    """A source whose known_hosts has these keys of the server, in this order."""
    lines = [f"[127.0.0.1]:{server.port} {key.export_public_key().decode()}" for key in keys]
    (tmp_path / "known_hosts").write_text("".join(lines))
    return connected(server, sftp_host_key=None, sftp_known_hosts=tmp_path / "known_hosts")


@pytest.mark.parametrize(
    ("there", "known"),
    [
        (["ed25519", "rsa"], ["rsa"]),
        (["ed25519", "ecdsa"], ["ecdsa"]),
        (["ed25519", "rsa", "ecdsa"], ["ed25519"]),
        (["ed25519", "rsa"], ["ecdsa", "rsa"]),  # the first known one is of a type it has no more
        (["rsa"], ["ed25519", "ecdsa", "rsa"]),
    ],
)
def test_a_server_is_asked_for_the_key_that_is_known_of_it(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: list[str], known: list[str]
) -> None:
    with_keys(monkeypatch, there)
    with (
        SftpServer(files, USER, PASSWORD) as server,
        knowing(server, tmp_path, *(host_key(kind) for kind in known)) as source,
    ):
        assert source.list_folder(FOLDER)


def test_of_two_known_keys_of_one_type_either_will_do(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys(monkeypatch, ["ed25519"])
    with (
        SftpServer(files, USER, PASSWORD) as server,
        knowing(server, tmp_path, other_key("ed25519"), host_key("ed25519")) as source,
    ):
        assert source.list_folder(FOLDER)


@pytest.mark.parametrize("known", [["rsa"], ["ecdsa"], ["ed25519", "rsa"]])
def test_changed_keys_are_refused_and_all_that_are_known_are_named(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: list[str]
) -> None:
    with_keys(monkeypatch, ["ed25519", "rsa"])
    keys = [other_key(kind) for kind in known]
    with (
        SftpServer(files, USER, PASSWORD) as server,
        pytest.raises(PermanentError, match="WARNING: .*offers another host key") as refused,
    ):
        knowing(server, tmp_path, *keys).list_folder(FOLDER)
    assert all(key.get_fingerprint() in str(refused.value) for key in keys)


def test_a_changed_key_is_refused_though_a_key_of_another_type_is_still_the_same(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys(monkeypatch, ["ed25519", "rsa"])
    with SftpServer(files, USER, PASSWORD) as server, pytest.raises(PermanentError, match="WARNING"):
        knowing(server, tmp_path, other_key("ed25519"), host_key("rsa")).list_folder(FOLDER)


@pytest.mark.parametrize("kind", KINDS)
def test_the_pinned_key_may_be_any_of_the_servers(files: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    with_keys(monkeypatch, KINDS)
    with (
        SftpServer(files, USER, PASSWORD) as server,
        connected(server, sftp_host_key=host_key(kind).get_fingerprint()) as source,
    ):
        assert source.list_folder(FOLDER)


def test_a_pinned_key_that_is_none_of_the_servers_is_refused(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_keys(monkeypatch, ["ed25519", "rsa"])
    pinned = other_key("rsa").get_fingerprint()
    with SftpServer(files, USER, PASSWORD) as server, pytest.raises(PermanentError, match="WARNING") as refused:
        connected(server, sftp_host_key=pinned).list_folder(FOLDER)
    assert pinned in str(refused.value) and host_key("ed25519").get_fingerprint() in str(refused.value)


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
