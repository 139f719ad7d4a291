"""What the doctor says of the settings: each value and where it stands, and variables that are no setting.

Does not belong here: which settings there are (``settings``).
"""

from collections.abc import Iterator
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from pydantic import SecretStr, ValidationError

from slomix_pipeline.reports.findings import Finding, failed, ok, warning
from slomix_pipeline.server_settings import OTHER_VARIABLES, ServerSettings, prefix_of
from slomix_pipeline.settings import Settings, env_file, origins

VALUES = "Values of settings"  # a subject that is shown when it is asked for
_NO_SETTINGS = {"texts_of_servers"}  # fields that nobody writes


def names() -> list[str]:
    """The names of all settings, as they are written."""
    return [f"SLOMIX_{name.upper()}" for name in Settings.model_fields if name not in _NO_SETTINGS]


def summary(settings: Settings) -> Iterator[Finding]:
    """Where settings come from, and what looks like one and is none."""
    given = origins()
    path = env_file()
    known = {*names(), *_of_servers(settings), *(f"SLOMIX_{name.upper()}" for name in OTHER_VARIABLES)}
    servers = ", ".join(f"server {own.server}, zone {own.timezone}" for own in settings.game_servers)
    source = f"read from {path}" if path and path.is_file() else "no .env: defaults and environment (see .env.example)"
    yield ok("settings", f"{servers}; {len(given.keys() & known)} are set, {source}")
    for name in sorted(given.keys() - known):
        near = get_close_matches(name, known, 1, 0.7)
        fix = f"write {near[0]}" if near else "take it out, or see .env.example for what there is"
        yield warning(name, f"stands in {given[name]} and is no setting, so it does nothing", fix)


def values(settings: Settings) -> Iterator[Finding]:
    """Every setting."""
    given = origins()
    for name in names():
        value = getattr(settings, name.removeprefix("SLOMIX_").lower())
        yield ok(name, f"{shown(value)} ({_origin(given, name)})")
    for own in settings.texts_of_servers:
        secret = "SecretStr" in str(ServerSettings.model_fields[own.name].annotation)
        value = shown(own.text if secret else own.text.get_secret_value())
        yield ok(own.variable, f"{value} ({_origin(given, own.variable)})")


def invalid(error: ValidationError) -> list[Finding]:
    """What is wrong with settings that can't be used; nothing else can be looked at then."""
    found = []
    for problem in error.errors(include_input=False):
        name = "_".join(str(part) for part in problem["loc"]).upper()
        fix = "mend it where it stands: in the environment, or in .env (see .env.example)"
        found.append(failed(f"SLOMIX_{name}" if name else "settings", problem["msg"], fix))
    return found


def shown(value: Any) -> str:
    """A value as people write it; of a secret only whether there is one."""
    if isinstance(value, SecretStr):
        return "set"
    if value is None or value == ():
        return "not set"
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0 and (unit != "d" or seconds >= 2 * length):
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def _origin(given: dict[str, str], name: str) -> str:
    return f"from {given[name]}" if name in given else "default"


def _of_servers(settings: Settings) -> Iterator[str]:
    for server in settings.servers:
        yield from (f"SLOMIX_{prefix_of(server)}{name}".upper() for name in ServerSettings.model_fields)
