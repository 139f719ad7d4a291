"""What Discord would refuse in a message: its limits, and its way of naming what breaks them.

Belongs here: the answer to a bad body. Does not belong here: that we keep the limits (``embeds``).
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from slomix_pipeline.discord.standin_files import Call

from . import embeds as limits


def refusals(call: Call, old: Collection[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What Discord would refuse in a call's body, in its nested form ("Error Messages"); empty when nothing. ``old``:
    attachments of the message to edit."""
    try:
        return _refusals(call.body) | _check_attachments(call, old)
    except (AttributeError, KeyError, TypeError, ValueError):  # not the shape of a message at all
        return _named({}, "", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")


def _refusals(body: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    _check_text(found, "content", body.get("content"), limits.CONTENT_LIMIT)
    all_embeds = body.get("embeds") or []
    if len(all_embeds) > limits.EMBEDS_LIMIT:
        _named(found, "embeds", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.EMBEDS_LIMIT} or fewer in length.")
    total = sum(_check_embed(found, f"embeds.{number}", embed) for number, embed in enumerate(all_embeds))
    if total > limits.TOTAL_LIMIT:
        _named(found, "embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {limits.TOTAL_LIMIT}")
    return found


def _check_attachments(call: Call, old: Collection[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    known = {file["id"] for file in old} | set(map(str, call.files))
    listed = call.body.get("attachments")
    for number, entry in enumerate(listed or ()):
        if str(entry["id"]) not in known:
            _named(found, f"attachments.{number}.id", "ATTACHMENT_NOT_FOUND", "Attachment data not found")
        _check_text(found, f"attachments.{number}.description", entry.get("description"), limits.ALT_LIMIT)
    told = {str(entry["id"]) for entry in listed or ()}
    kept = [file for file in old if listed is None or file["id"] in told]
    if len(kept) + len(call.files) > limits.ATTACHMENTS_LIMIT:
        text = f"Must be {limits.ATTACHMENTS_LIMIT} or fewer in length."
        _named(found, "attachments", "BASE_TYPE_MAX_LENGTH", text)
    return found


def _check_embed(found: dict[str, Any], path: str, embed: dict[str, Any]) -> int:
    """Add what is wrong with one embed to ``found``; returns its size in characters."""
    footer = embed.get("footer") or {}
    fields = embed.get("fields") or []
    if not (embed.get("title") or embed.get("description") or fields or footer or embed.get("image")):
        _named(found, f"{path}.description", "BASE_TYPE_REQUIRED", "This field is required")
    if len(fields) > limits.FIELDS_LIMIT:
        _named(found, f"{path}.fields", "BASE_TYPE_MAX_LENGTH", f"Must be {limits.FIELDS_LIMIT} or fewer in length.")
    if not 0 <= (embed.get("color") or 0) <= limits.COLOR_LIMIT:
        _named(
            found,
            f"{path}.color",
            "NUMBER_TYPE_MAX",
            f"int value should be less than or equal to {limits.COLOR_LIMIT}.",
        )
    if timestamp := embed.get("timestamp"):
        datetime.fromisoformat(timestamp)
    total = _check_text(found, f"{path}.title", embed.get("title"), limits.TITLE_LIMIT)
    total += _check_text(found, f"{path}.description", embed.get("description"), limits.DESCRIPTION_LIMIT)
    total += _check_text(found, f"{path}.footer.text", footer.get("text"), limits.FOOTER_LIMIT)
    for number, field in enumerate(fields):
        for part, limit in (("name", limits.FIELD_NAME_LIMIT), ("value", limits.FIELD_VALUE_LIMIT)):
            total += _check_text(found, f"{path}.fields.{number}.{part}", field.get(part) or "", limit)
    return total


def _check_text(found: dict[str, Any], path: str, text: Any, limit: int) -> int:
    """The length of ``text`` as ``embeds`` counts it; None means that it was left out, an empty one that it is
    required."""
    if text is None:
        return 0
    if not isinstance(text, str):
        _named(found, path, "STRING_TYPE_CONVERT", "Could not interpret as string.")
        return 0
    if not text.strip() and ".fields." in path:
        _named(found, path, "BASE_TYPE_REQUIRED", "This field is required")
    long = limits.length(text)
    if long > limit:
        _named(found, path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")
    return long


def _named(found: dict[str, Any], path: str, code: str, message: str) -> dict[str, Any]:
    place = found
    for key in filter(None, path.split(".")):
        place = place.setdefault(key, {})
    place.setdefault("_errors", []).append({"code": code, "message": message})
    return found
