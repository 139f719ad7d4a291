"""What the stand-in keeps: its webhook and the messages that arrived, as Discord's API gives them.

Belongs here: ids, what a call makes of a message. Does not belong here: which calls are refused (``standin``), the
bytes of files (``standin_files``).
"""

import json
import secrets
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slomix_pipeline.discord.standin_files import Call, Files, attached

AUTHOR = "Slomix"
DISCORD_EPOCH_MS = 1420070400000  # "Reference", Snowflakes


class Channel:
    """The webhook and its messages, kept in one JSON file. Safe to read from another thread."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.files = Files(file.parent / "files")
        self._lock = threading.Lock()
        kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
        self.webhook_id: str = kept.get("webhook_id") or str(_snowflake(0))
        self.token: str = kept.get("token") or secrets.token_urlsafe(51)
        self.channel_id: str = kept.get("channel_id") or self.webhook_id
        self.webhook_deleted: bool = kept.get("webhook_deleted", False)
        self._messages: dict[str, dict[str, Any]] = {
            message["id"]: {"attachments": [], **message} for message in kept.get("messages", ())
        }
        self._save()

    def messages(self) -> list[dict[str, Any]]:
        """All messages, oldest first."""
        with self._lock:
            return [dict(message) for message in self._messages.values()]

    def message(self, message_id: str, thread_id: str | None) -> dict[str, Any] | None:
        """A message, if it is the webhook's own and in that thread: of others a webhook knows nothing."""
        with self._lock:
            found = self._messages.get(message_id)
            theirs = found and (found["webhook_id"], found["channel_id"])
            return found if theirs == (self.webhook_id, thread_id or self.channel_id) else None

    def delete_webhook(self) -> None:
        """The channel stays without one until ``replace_webhook``; its messages stay."""
        with self._lock:
            self.webhook_deleted = True
            self._save()

    def replace_webhook(self) -> None:
        """Deletes the webhook and makes another one in the same channel."""
        with self._lock:
            self.webhook_id, self.token = str(int(self.webhook_id) + 1), secrets.token_urlsafe(51)
            self.webhook_deleted = False
            self._save()

    def delete_message(self, message_id: str) -> None:
        """Takes a message away, with its files."""
        with self._lock:
            for file in self._messages.pop(message_id)["attachments"]:
                self.files.drop(file["id"])
            self._save()

    def attachment(self, file_id: str) -> dict[str, Any] | None:
        """An attachment of some message."""
        every = (file for message in self.messages() for file in message["attachments"])
        return next((file for file in every if file["id"] == file_id), None)

    def add(self, call: Call, thread_id: str | None, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Keeps a message; ``more``: what it has that a webhook's has not."""
        with self._lock:
            message_id = str(_snowflake(max(map(int, self._messages), default=0)))
            message = {
                "type": 0,
                "id": message_id,
                "channel_id": thread_id or self.channel_id,
                "webhook_id": self.webhook_id,
                "author": {"id": self.webhook_id, "username": AUTHOR, "avatar": None, "bot": True},
                "timestamp": datetime.now(UTC).isoformat(),
                "edited_timestamp": None,
                **said(call.body),
                **(more or {}),
                "attachments": self._attached(call, []),
            }
            self._messages[message_id] = message
            self._save()
            return message

    def change(self, message_id: str, call: Call, more: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Changes a message; ``more``: as in ``add``."""
        with self._lock:
            old = self._messages[message_id]
            changed = {
                **old,
                **said({**old, **call.body}),
                **(more or {}),
                "attachments": self._attached(call, old["attachments"]),
                "edited_timestamp": datetime.now(UTC).isoformat(),
            }
            self._messages[message_id] = changed
            self._save()
            return changed

    def _attached(self, call: Call, old: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The attachments of a message after a call; the bytes of new ones are kept, those of others dropped."""
        taken = (int(file["id"]) for message in self._messages.values() for file in message["attachments"])
        now, bytes_of = attached(call, old, _snowflake(max(taken, default=0)))
        for file_id, content in bytes_of.items():
            self.files.keep(file_id, content)
        for file in old:
            if file["id"] not in {kept["id"] for kept in now}:
                self.files.drop(file["id"])
        return now

    def _save(self) -> None:
        self.revision = secrets.token_hex(8)
        content = {
            "webhook_id": self.webhook_id,
            "token": self.token,
            "channel_id": self.channel_id,
            "webhook_deleted": self.webhook_deleted,
            "messages": list(self._messages.values()),
        }
        new = self._file.with_suffix(".new")
        new.touch(mode=0o600)  # it holds the token
        new.write_text(json.dumps(content, ensure_ascii=True, indent=1), "utf-8")
        new.replace(self._file)


def _snowflake(after: int) -> int:
    """A new id as Discord forms them: the time, and greater than ``after``."""
    return max((time.time_ns() // 1_000_000 - DISCORD_EPOCH_MS) << 22, after + 1)


def said(body: dict[str, Any]) -> dict[str, Any]:
    """The parts of a call's body that a message keeps."""
    return {
        "content": body.get("content") or "",
        "embeds": [{"type": "rich", **embed} for embed in body.get("embeds") or ()],
    }
