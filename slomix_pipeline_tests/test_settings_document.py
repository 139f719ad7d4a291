"""``docs/settings.md`` is made from the settings themselves: RENEW_SNAPSHOTS=1 writes it anew. The example file names
exactly the settings that there are."""

import re
import types
from collections.abc import Iterable, Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from slomix_pipeline.actions.doctor.settings_look import names, shown
from slomix_pipeline.reports.markdown import escape
from slomix_pipeline.rules.score_policies import POLICIES
from slomix_pipeline.rules.things import RESULTS
from slomix_pipeline.server_settings import ServerSettings
from slomix_pipeline.setting_texts import clock_time, clock_time_or_off, weekday_and_time, zone_name
from slomix_pipeline.settings import Settings, project_folder
from slomix_pipeline_tests.snapshots import RENEW, assert_as_kept

PAGE = project_folder() / "docs" / "settings.md"
EXAMPLE = project_folder() / ".env.example"
# How a text is written that is read by one of these.
_WRITTEN = {
    clock_time: "time, as `09:00`",
    clock_time_or_off: "time, as `09:00`, or `off`",
    weekday_and_time: "weekday and time, as `mon 18:00`",
    zone_name: "time zone, as `Europe/Ljubljana`",
}


def _words(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


# What a check of the settings allows.
_ALLOWED = {
    "scoring_policy": f"one of {_words(POLICIES)}",
    "discord_leave_out": f"list of {_words(RESULTS)}",
}


def documented() -> Iterator[str]:
    """The lines of the page."""
    yield "# Settings"
    yield ""
    yield f"Made from `slomix_pipeline/settings.py` and `server_settings.py` by `{RENEW}=1 .venv/bin/pytest"
    yield f"slomix_pipeline_tests/{Path(__file__).name}`; don't edit it by hand."
    yield ""
    yield "Each stands in the environment or in `.env` in the project folder (`SLOMIX_ENV_FILE` names another file, or none"
    yield "when it is empty); the environment wins, and what is empty counts as not set. `slomix doctor --settings` lists the"
    yield "values in force and where each stands. `.env.example` explains them in the order in which one sets them."
    yield ""
    yield "A duration is written as `90 s`, `60 min`, `6 h`, `2 d`; a bare number is seconds. A list is separated by commas."
    yield "**Secret**: shown nowhere; the doctor tells only whether it is set. **Per server**: with `SLOMIX_SERVERS=eu,us` also"
    yield "for one game server alone, as `SLOMIX_EU_…`; what a server has not is as without its id."
    yield ""
    yield "| setting | is | default | what it is for | secret | per server |"
    yield "|---|---|---|---|---|---|"
    for name in sorted(names()):
        own = name.removeprefix("SLOMIX_").lower()
        field = Settings.model_fields[own]
        cells = (
            f"`{name}`",
            kind_of(own, field),
            default_of(field),
            escape(field.description or ""),
            "yes" if _inner(field.annotation) is SecretStr else "",
            "yes" if own in ServerSettings.model_fields else "",
        )
        yield f"| {' | '.join(cells)} |"


def _inner(annotation: Any) -> Any:
    """The type, without that it may be missing."""
    if get_origin(annotation) in (Union, types.UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not type(None))
    return annotation


def kind_of(name: str, field: FieldInfo) -> str:
    """What may be written."""
    if name in _ALLOWED:
        return _ALLOWED[name]
    own = _inner(field.annotation)
    readers = [own.func for own in (*field.metadata, *getattr(own, "__metadata__", ())) if hasattr(own, "func")]
    own = getattr(own, "__origin__", own) if hasattr(own, "__metadata__") else own
    for reader in readers:
        if reader in _WRITTEN:
            return _WRITTEN[reader]
    limits = {
        key: getattr(rule, key) for rule in field.metadata for key in ("ge", "le", "max_length") if hasattr(rule, key)
    }
    pattern = next((rule.pattern for rule in field.metadata if getattr(rule, "pattern", None)), None)
    if get_origin(own) is Literal:
        return f"one of {_words(get_args(own))}"
    if get_origin(own) is tuple:
        words = get_args(own)[0]
        some = f" of {_words(words)}" if isinstance(words, type) and issubclass(words, StrEnum) else ""
        return f"list{some}"
    simple = {bool: "`true` or `false`", timedelta: "duration", Path: "path", SecretStr: "text"}
    if own in simple:
        return simple[own]
    if isinstance(own, type) and issubclass(own, StrEnum):
        return f"one of {_words(own)}"
    if own is int:
        return f"number, {limits['ge']} to {limits['le']}" if "le" in limits else f"number from {limits['ge']} on"
    assert own is str, (name, own)
    if pattern is not None:
        return "text like `" + str(pattern).replace("|", "\\|") + "`"
    return f"text of at most {limits['max_length']} characters" if "max_length" in limits else "text"


def default_of(field: FieldInfo) -> str:
    """What holds where nothing is written."""
    return "" if field.default is None or field.default == () else f"`{shown(field.default)}`"


def test_the_page_of_settings_says_what_the_code_does() -> None:
    assert_as_kept(PAGE, "\n".join(documented()) + "\n")


def test_every_setting_says_what_it_is_for() -> None:
    assert [
        name for name in names() if not Settings.model_fields[name.removeprefix("SLOMIX_").lower()].description
    ] == []


def test_the_example_file_names_exactly_the_settings_that_there_are() -> None:
    text = EXAMPLE.read_text("utf-8")
    written = set(re.findall(r"^#(SLOMIX_\w+)=", text, re.MULTILINE))
    (servers,) = re.findall(r"^#SLOMIX_SERVERS=(\S+)$", text, re.MULTILINE)
    prefixes = tuple(f"SLOMIX_{server.replace('-', '_').upper()}_" for server in servers.split(","))
    of_one = {name for name in written if name.startswith(prefixes)}
    assert written - of_one == set(names())
    assert {name.split("_", 2)[2].removeprefix("2_").lower() for name in of_one} <= ServerSettings.model_fields.keys()
