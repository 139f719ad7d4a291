"""Discord messages as the HTML its dark theme would show.

Belongs here: Discord's Markdown, and a message's JSON (as its API gives it) as HTML.
Does not belong here: the page around the messages (``standin.html``) and who serves it (``standin``).

Everything shown comes from players' names in the end: all text is escaped here, and only http(s) links work.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, list_block
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from slomix_pipeline.discord.embeds import EPHEMERAL

# The patterns of Discord's client (after the library simple-markdown). Where several match, the longest wins.
_PAIRS = (
    ("em", re.compile(r"\*(?=\S)((?:\*\*|\\.|\s+(?:\\.|[^\s*\\]|\*\*)|[^\s*\\])+?)\*(?!\*)", re.DOTALL)),
    ("em", re.compile(r"_((?:__|\\.|[^\\_])+?)_(?!\w)", re.DOTALL)),
    ("strong", re.compile(r"\*\*((?:\\.|[^\\])+?)\*\*(?!\*)", re.DOTALL)),
    ("u", re.compile(r"__((?:\\.|[^\\])+?)__(?!_)", re.DOTALL)),
    ("s", re.compile(r"~~((?:\\.|[^\\])+?)~~", re.DOTALL)),
    ("span", re.compile(r"\|\|((?:\\.|[^\\])+?)\|\|", re.DOTALL)),  # a spoiler
)
_TIME = re.compile(r"<t:(-?\d{1,12})(?::([tTdDfFR]))?>")
_MENTION = re.compile(r"@(?:everyone|here)|<(?:@[!&]?|#)\d+>|<a?(:\w+:)\d+>")
_WEB_ADDRESS = re.compile(r"https?://[^\s<]+[^<.,:;\"')\]\s]")
_MARKUP = re.compile(r"[\n\\`*_~|\[\]<@]|https?://")
_CODE_BLOCK = re.compile(r"```(?:[\w+.#-]+\n)?\n*([^\n].*?)\n*``` *(?=\n|$)", re.DOTALL)
_HEADING = re.compile(r"(#{1,3}|-#) +(\S.*)")
_LIST_ITEM = re.compile(r"(?:[*-]|\d+\.) +\S")
_STYLES = {  # Discord's time styles, as Python writes them where no script runs
    "t": "%H:%M",
    "T": "%H:%M:%S",
    "d": "%d/%m/%Y",
    "D": "%d %B %Y",
    "f": "%d %B %Y %H:%M",
    "F": "%A, %d %B %Y %H:%M",
    "R": "%d %B %Y %H:%M",
}


def markdown(text: str) -> str:
    """Discord's Markdown with headings, lists, quotes and code blocks (content, descriptions, field values)."""
    return str(_parser().render(text))


def markdown_line(text: str) -> str:
    """Discord's Markdown within a line (titles, field names)."""
    return str(_parser().renderInline(text))


Address = Callable[[Mapping[str, Any]], str]  # where an attachment can be had

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_ATTACHED = "attachment://"
_ONE_SEES = '<div class="edited">Only you can see this</div>'


def is_picture(file: Mapping[str, Any]) -> bool:
    """Whether an attachment is shown; Discord too shows no SVG."""
    return file["content_type"] in _PICTURES


def message_html(message: dict[str, Any], author: str, address: Address) -> str:
    """One message, as ``GET …/messages/{id}`` gives it, below its author's name. Files of which no embed tells stand
    above the embeds."""
    files = {file["filename"]: file for file in message.get("attachments", ())}
    embeds = message.get("embeds", ())
    in_embeds = {_image_of(embed) for embed in embeds}
    loose = "".join(_file_html(file, address) for name, file in files.items() if name not in in_embeds)
    shown = f'<div class="files">{loose}</div>' if loose else ""
    said = datetime.fromisoformat(message["timestamp"])
    edited = '<span class="edited">(edited)</span>' if message.get("edited_timestamp") else ""
    content = f'<div class="content">{markdown(message["content"])}</div>' if message.get("content") else ""
    typed = f'<div class="typed">You used {escape(message["typed"])}</div>' if message.get("typed") else ""
    after = f"{_buttons_html(message)}{_ONE_SEES if message.get('flags', 0) & EPHEMERAL else ''}"
    return (
        f'<article id="m{escape(str(message["id"]))}"><div class="avatar" aria-hidden="true">{escape(author[:1])}</div>'
        f'<div class="body">{typed}<header><b>{escape(author)}</b><span class="app">APP</span>{_told(said)}</header>'
        f"{content}{shown}{''.join(_embed_html(embed, files, address) for embed in embeds)}{edited}{after}"
        "</div></article>"
    )


def _buttons_html(message: Mapping[str, Any]) -> str:
    """The buttons of an answer; the page's script says when one is pressed."""
    found = [own for row in message.get("components", ()) for own in row["components"]]
    buttons = "".join(
        f'<button type="button" data-message="{escape(str(message["id"]))}" data-id="{escape(own["custom_id"])}"'
        f"{' disabled' if own.get('disabled') else ''}>{escape(own['label'])}</button>"
        for own in found
    )
    return f'<div class="buttons">{buttons}</div>' if buttons else ""


def _image_of(embed: Mapping[str, Any]) -> str:
    """The name of the attachment that an embed shows."""
    url = str((embed.get("image") or {}).get("url") or "")
    return url.removeprefix(_ATTACHED) if url.startswith(_ATTACHED) else ""


def _file_html(file: Mapping[str, Any], address: Address) -> str:
    if not is_picture(file):
        return f"<div>{escape(str(file['filename']))}</div>"
    words = escape(str(file.get("description") or ""))
    return f'<img src="{escape(address(file))}" alt="{words}" title="{words}">'


def _told(moment: datetime) -> str:
    """A time that the page's script rewrites for the reader's own zone; without it, UTC is said."""
    utc = moment.astimezone(UTC)
    return f'<time datetime="{utc:%Y-%m-%dT%H:%M:%SZ}" data-style="head">{utc:%d/%m/%Y %H:%M} UTC</time>'


def _embed_html(embed: dict[str, Any], files: Mapping[str, Mapping[str, Any]], address: Address) -> str:
    color = int(embed.get("color") or 0x1E1F22)
    return f'<div class="embed" style="--bar:#{color:06x}">{"".join(_embed_parts(embed, files, address))}</div>'


def _embed_parts(embed: dict[str, Any], files: Mapping[str, Mapping[str, Any]], address: Address) -> Iterator[str]:
    if title := embed.get("title"):
        shown, url = markdown_line(title), str(embed.get("url") or "")
        if _is_web_address(url):
            shown = f'<a href="{escape(url)}" rel="noopener noreferrer">{shown}</a>'
        yield f'<div class="title">{shown}</div>'
    if description := embed.get("description"):
        yield f'<div class="description">{markdown(description)}</div>'
    if fields := embed.get("fields"):
        yield f'<div class="fields">{"".join(_fields_html(fields))}</div>'
    if image := files.get(_image_of(embed)):
        yield _file_html(image, address)
    footer = escape((embed.get("footer") or {}).get("text") or "")
    ended = _told(datetime.fromisoformat(embed["timestamp"])) if embed.get("timestamp") else ""
    if footer or ended:
        yield f"<footer>{' • '.join(filter(None, (footer, ended)))}</footer>"


def _fields_html(fields: list[dict[str, Any]]) -> Iterator[str]:
    for row in _rows(fields):
        for field in row:
            name = f'<div class="name">{markdown_line(field["name"])}</div>'
            value = f'<div class="value">{markdown(field["value"])}</div>'
            yield f'<div class="field w{12 // len(row)}">{name}{value}</div>'


def _rows(fields: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Up to three inline fields stand in a row; any other field has a row of its own."""
    row: list[dict[str, Any]] = []
    for field in fields:
        if row and (len(row) == 3 or not field.get("inline")):
            yield row
            row = []
        if field.get("inline"):
            row.append(field)
        else:
            yield [field]
    if row:
        yield row


def _is_web_address(url: str) -> bool:
    return url.startswith(("https://", "http://"))


@cache
def _parser() -> MarkdownIt:
    """markdown-it with Discord's rules in place of CommonMark's wherever they differ."""
    parser = MarkdownIt("zero", {"breaks": True, "html": False})
    parser.enable(["list", "newline", "escape", "backticks", "link"])
    interrupts: RuleOptionsType = {"alt": ["paragraph", "list"]}
    for name, block_rule in (("code", _code_block), ("quote", _quote), ("heading", _heading)):
        parser.block.ruler.before("list", f"discord_{name}", block_rule, interrupts)
    parser.block.ruler.at("list", _list, {"alt": ["paragraph"]})
    parser.inline.ruler.at("text", _text)
    for name, rule in (("pair", _pair), ("time", _time), ("mention", _mention), ("address", _address)):
        parser.inline.ruler.push(f"discord_{name}", rule)
    parser.validateLink = _is_web_address  # type: ignore[method-assign]  # the documented way
    parser.add_render_rule("softbreak", _line_break)
    parser.add_render_rule("hardbreak", _line_break)
    return parser


def _line_break(*_: Any) -> str:
    return "<br>"  # markdown-it adds a line feed, which the page would show: names keep their spaces there


def _text(state: StateInline, silent: bool) -> bool:
    found = _MARKUP.search(state.src, state.pos, state.posMax)
    end = found.start() if found else state.posMax
    if end == state.pos:
        return False
    if not silent:
        state.pending += state.src[state.pos : end]
    state.pos = end
    return True


def _pair(state: StateInline, silent: bool) -> bool:
    found = [(match, tag) for tag, pattern in _PAIRS if (match := pattern.match(state.src, state.pos, state.posMax))]
    if not found:
        return False
    match, tag = max(found, key=lambda candidate: len(candidate[0][0]))
    if not silent:
        outer_end = state.posMax
        _open(state, tag, {"class": "spoiler", "tabindex": "0"} if tag == "span" else {})
        state.pos, state.posMax = match.span(1)
        state.md.inline.tokenize(state)
        state.push("close", tag, -1)
        state.posMax = outer_end
    state.pos = match.end()
    return True


def _time(state: StateInline, silent: bool) -> bool:
    match = _TIME.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    try:
        utc = datetime.fromtimestamp(int(match[1]), UTC)
    except (ValueError, OverflowError, OSError):
        return False
    if not silent:
        style = match[2] or "f"
        attributes = {"datetime": f"{utc:%Y-%m-%dT%H:%M:%SZ}", "data-style": style, "class": "stamp"}
        _whole(state, "time", utc.strftime(_STYLES[style]) + " UTC", attributes)
    state.pos = match.end()
    return True


def _mention(state: StateInline, silent: bool) -> bool:
    match = _MENTION.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        _whole(state, "span", match[1] or match[0], {"class": "mention"})
    state.pos = match.end()
    return True


def _address(state: StateInline, silent: bool) -> bool:
    match = _WEB_ADDRESS.match(state.src, state.pos, state.posMax)
    if match is None or state.linkLevel:
        return False
    if not silent:
        _whole(state, "a", match[0], {"href": match[0], "rel": "noopener noreferrer"})
    state.pos = match.end()
    return True


def _open(state: StateInline, tag: str, attributes: dict[str, str]) -> Token:
    token = state.push("open", tag, 1)
    token.attrs = dict(attributes)
    return token


def _whole(state: StateInline, tag: str, text: str, attributes: dict[str, str]) -> None:
    _open(state, tag, attributes)
    state.push("text", "", 0).content = text
    state.push("close", tag, -1)


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _code_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    match = _CODE_BLOCK.match(state.src, state.bMarks[start] + state.tShift[start])
    if match is None:
        return False
    if not silent:
        state.push("fence", "code", 0).content = match[1]
        state.line = start + match[0].count("\n") + 1
    return True


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    first = _line(state, start)
    if not first.startswith(("> ", ">>> ")):
        return False
    if silent:
        return True
    last = start + 1
    if first.startswith(">>> "):
        last, text = end, "\n".join([first[4:], *(_line(state, number) for number in range(start + 1, end))])
    else:
        while last < end and _line(state, last).startswith("> "):
            last += 1
        text = "\n".join(_line(state, number)[2:] for number in range(start, last))
    state.push("quote_open", "blockquote", 1)
    state.md.block.parse(text, state.md, state.env, state.tokens)
    state.push("quote_close", "blockquote", -1)
    state.line = last
    return True


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return bool(_LIST_ITEM.match(_line(state, start))) and list_block(state, start, end, silent)


def _heading(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    match = _HEADING.fullmatch(_line(state, start))
    if match is None:
        return False
    if not silent:
        tag = "small" if match[1] == "-#" else f"h{len(match[1])}"
        state.push("heading_open", tag, 1)
        inline = state.push("inline", "", 0)
        inline.content, inline.children = match[2], []
        state.push("heading_close", tag, -1)
        state.line = start + 1
    return True
