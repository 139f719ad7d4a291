"""Which SSH host keys are trusted: the pinned fingerprint, else the known_hosts file; which are asked for first.

Belongs here: reading known_hosts, the order of key types, the words of a refusal.
Does not belong here: connecting (``sftp``).
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from slomix_pipeline.gameserver.source import PermanentError

_SSH_PORT = 22


class HostKeyRefused(PermanentError):
    """The server proved another key than the trusted one, of the type ``kind``."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True)
class Trust:
    """What is trusted of one host. ``pinned``: the one fingerprint that counts, and then ``known`` doesn't; ``known``:
    its keys in the file ``known_hosts``."""

    pinned: str | None
    known: tuple[paramiko.PKey, ...]
    known_hosts: Path

    def in_order(self, algorithms: Iterable[str]) -> list[str]:
        """Algorithms with those first that prove a known key, as ssh asks: a server may have keys of several types."""
        known = {key.get_name() for key in self.known}
        return sorted(algorithms, key=lambda algorithm: key_type(algorithm) not in known)

    def check(self, host: str, key: paramiko.PKey) -> None:
        """Accepts a key the host has proved.

        Raises:
            HostKeyRefused: it isn't trusted; the text says what to do.
        """
        if self.pinned is not None:
            trusted = key.fingerprint == self.pinned.rstrip("=")
            expected = f"SLOMIX_SFTP_HOST_KEY is {self.pinned}"
        else:
            trusted = key in self.known
            expected = "known_hosts has " + ", ".join(f"{k.fingerprint} ({k.get_name()})" for k in self.known)
        if not trusted:
            refused = self._changed(host, key, expected) if self.pinned or self.known else self._unknown(host, key)
            raise HostKeyRefused(refused, key.get_name())

    def _unknown(self, host: str, key: paramiko.PKey) -> str:
        return (
            f"{host} is not a known host. It offers the {key.get_name()} key {key.fingerprint}. "
            f"{_how_to_compare(key)} If they are the same, set SLOMIX_SFTP_HOST_KEY={key.fingerprint} in .env "
            f"(or add what ssh-keyscan prints for the host to {self.known_hosts})."
        )

    def _changed(self, host: str, key: paramiko.PKey, expected: str) -> str:
        return (
            f"WARNING: {host} offers another host key than the trusted one: {key.get_name()} {key.fingerprint}, "
            f"but {expected}. Either the server has a new key or somebody sits in between; no password was sent. "
            f"{_how_to_compare(key)} Only if they are the same, replace the trusted key by it."
        )


def key_type(algorithm: str) -> str:
    """The type of the keys that an algorithm proves: an RSA key signs by several."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def trust_of(host: str, port: int, pinned: str | None, known_hosts: Path) -> Trust:
    """What is trusted of a host. Without a pin known_hosts decides, and a missing file trusts nobody.

    Raises:
        PermanentError: the file can't be read.
    """
    name = host if port == _SSH_PORT else f"[{host}]:{port}"
    known = () if pinned is not None else tuple(_known_keys(known_hosts.expanduser(), name))
    return Trust(pinned, known, known_hosts)


def _known_keys(known_hosts: Path, name: str) -> list[paramiko.PKey]:
    """The host's keys of every line paramiko understands, without those the file revokes.

    paramiko's own loader gives up on the whole file at the first ``@`` marker or damaged key, and takes only the first
    key of each type. A line left out is only ever a host that isn't trusted.
    """
    keys, revoked = [], set()
    try:
        lines = known_hosts.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise PermanentError(f"SLOMIX_SFTP_KNOWN_HOSTS can't be read: {error}") from error
    for line in lines:
        fields = line.split()
        marker = fields.pop(0) if line.startswith("@") else None
        try:
            entry = None if line.startswith("#") else HostKeyEntry.from_line(" ".join(fields))
        except (InvalidHostKey, paramiko.SSHException, ValueError, OverflowError):
            entry = None
        if entry is None:
            continue
        if marker == "@revoked":
            revoked.add(entry.key.fingerprint)
        elif marker is None and any(_is_of(name, host) for host in entry.hostnames):
            keys.append(entry.key)
    return [key for key in keys if key.fingerprint not in revoked]


def _is_of(name: str, host: str) -> bool:
    """Whether a host of known_hosts, perhaps hashed, is that name."""
    if not host.startswith("|1|"):
        return host == name
    try:
        return hmac.compare_digest(paramiko.HostKeys.hash_host(name, host), host)
    except (ValueError, AssertionError):  # a hash that is damaged
        return False


def _how_to_compare(key: paramiko.PKey) -> str:
    kind = key.get_name().removeprefix("ssh-").split("-")[0]  # ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256
    return f"Compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_{kind}_key.pub` prints on the game server."
