"""The files of the stand-in's messages: how a call brings them, and where they are kept.

Belongs here: multipart bodies ("Uploading Files"), attachments of messages. Does not belong here: what Discord refuses
(``standin_refusals``), how they are shown (``render``).
"""

import json
import re
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, NamedTuple

_FILE_PART = re.compile(r"files\[(\d{1,3})\]", re.ASCII)


class Upload(NamedTuple):
    """A file as a call brings it."""

    name: str
    content_type: str
    data: bytes


class Call(NamedTuple):
    """The body of a call, and its files by their number."""

    body: Any
    files: Mapping[int, Upload]


def read_call(content_type: str, content: bytes) -> Call:
    """A call's JSON, with or without files.

    Raises:
        ValueError: it is no JSON, or its parts can't be told apart.
    """
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() != "multipart/form-data":
        return Call(json.loads(content or b"{}"), {})
    parts = list(_parts(content, (header.get_boundary() or "").encode()))
    body = next((data for name, _, data in parts if name == "payload_json"), b"{}")
    files = {
        int(found[1]): _upload_of(head, data) for name, head, data in parts if (found := _FILE_PART.fullmatch(name))
    }
    return Call(json.loads(body), files)


def _parts(content: bytes, boundary: bytes) -> list[tuple[str, Message, bytes]]:
    """Name, header and content of each part."""
    first, *others = (b"\r\n" + content).split(b"\r\n--" + boundary)
    if first or not boundary or not others or not others[-1].startswith(b"--"):
        raise ValueError("not a whole multipart body")
    parts = []
    for part in others[:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        header = BytesHeaderParser().parsebytes(head)
        parts.append((str(header.get_param("name", "", "Content-Disposition")), header, data))
    return parts


def _upload_of(header: Message, data: bytes) -> Upload:
    """The file of a part."""
    return Upload(header.get_filename() or "unknown", header.get_content_type(), data)


class Files:
    """The bytes of attachments, one file each, by their id."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, file_id: str, data: bytes) -> None:
        self._directory.mkdir(exist_ok=True)
        (self._directory / file_id).write_bytes(data)

    def read(self, file_id: str) -> bytes:
        return (self._directory / file_id).read_bytes()

    def drop(self, file_id: str) -> None:
        (self._directory / file_id).unlink(missing_ok=True)


def attached(call: Call, old: list[dict[str, Any]], first_id: int) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The attachments that a message has after a call, and the bytes of the new ones by id. ``old``: those it has;
    they stay unless the call lists attachments and not them. ``first_id``: of the new ones."""
    listed = call.body.get("attachments")
    told = {str(entry["id"]): entry for entry in listed or ()}
    kept = [{**file, **_described(told.get(file["id"], {}))} for file in old if listed is None or file["id"] in told]
    new = [
        {
            "id": str(first_id + place),
            "filename": upload.name,
            "size": len(upload.data),
            "content_type": upload.content_type,
            **_described(told.get(str(number), {})),
        }
        for place, (number, upload) in enumerate(sorted(call.files.items()))
    ]
    bytes_of = {file["id"]: call.files[number].data for file, number in zip(new, sorted(call.files), strict=True)}
    return [*kept, *new], bytes_of


def _described(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": entry["description"]} if entry.get("description") else {}
