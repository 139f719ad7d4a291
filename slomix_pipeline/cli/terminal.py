"""What all commands of the command line share: where they print, how they fail, what they open.

Belongs here: the terminal. Does not belong here: the commands themselves (``main``, ``groups``).

File names, player names, reasons and errors are text of others. Whatever is printed through ``out`` and ``err``, in
lines and in tables, shows as it is: no markup in it means anything, and what would steer the terminal is escaped. Own
colours are rich's ``Text`` and ``style``.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import click
from pydantic import ValidationError
from rich.console import Console, JustifyMethod, OverflowMethod
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.style import Style
from rich.text import Text

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.names import is_unseen, visible
from slomix_pipeline.server_settings import SERVER_ID
from slomix_pipeline.settings import Settings, UnreadableSettings, load_settings

if TYPE_CHECKING:
    from slomix_pipeline.reports.findings import Finding
    from slomix_pipeline.warehouse.database import Database


class Terminal(Console):
    """rich's console, to which every string is foreign text on one line."""

    def render_str(
        self,
        text: str,
        *,
        style: str | Style = "",
        justify: JustifyMethod | None = None,
        overflow: OverflowMethod | None = None,
        **_: Any,
    ) -> Text:
        return Text(visible(text), style, justify=justify, overflow=overflow)


# Piped output has no width: lines stay whole there.
out = Terminal(highlight=False, width=None if sys.stdout.isatty() else 200)
err = Terminal(stderr=True, highlight=False)


class Commands(click.Group):
    """A group of commands whose errors show what was typed as text, too."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        with _visible_usage_errors():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _visible_usage_errors():
            return super().invoke(ctx)


@contextmanager
def _visible_usage_errors() -> Iterator[None]:
    try:
        yield
    except click.ClickException as error:
        error.message = visible(error.message)  # type: ignore[misc]  # declared final, and all that is shown of it
        raise


def print_lines(text: str, end: str = "\n") -> None:
    """Prints a report, or a table for other programs, line by line as it is."""
    click.echo(end.join(map(visible, text.split(end))), nl=False)


def print_markdown(text: str) -> None:
    """Prints Markdown: laid out in a terminal, as it is in a pipe."""
    if out.is_terminal:
        out.print(Markdown("\n".join(map(visible, text.split("\n")))))
    else:
        print_lines(f"{text}\n")


def print_json(value: Any) -> None:
    """Prints JSON; what can't be seen is escaped as JSON does it, so nothing is lost."""
    for line in json.dumps(value, indent=2, default=str, ensure_ascii=False).split("\n"):
        click.echo(line if line.isprintable() else "".join(json.dumps(c)[1:-1] if is_unseen(c) else c for c in line))


def read_settings(**overrides: Any) -> Settings:
    """The settings in force; ends with exit code 2, naming each that can't be used."""
    try:
        return load_settings(**overrides)
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            err.print(f"SLOMIX_{name}: {problem['msg']}" if name else problem["msg"], soft_wrap=True)
        sys.exit(2)
    except UnreadableSettings as unreadable:
        not_here(unreadable)


def server_named(settings: Settings, server: str | None) -> str:
    """The id of the game server that is meant: the one there is, unless it is named."""
    if server is None and len(settings.game_servers) > 1:
        raise click.UsageError(f"There are several game servers: say --server, one of {', '.join(settings.servers)}")
    if server is not None and re.fullmatch(SERVER_ID, server) is None:
        raise click.BadParameter("at most 24 of a-z, 0-9, _ and -", param_hint="--server")
    return server or settings.server


def print_findings(findings: "Iterable[Finding]") -> NoReturn:
    """Ends with exit code 0 when all is fine, else 1."""
    wrong = 0
    for finding in findings:
        out.print(Text("ok   ", "green") if finding.fine else Text("wrong", "red"), end=" ")
        out.print(finding.in_words, soft_wrap=True)
        wrong += not finding.fine
    sys.exit(1 if wrong else 0)


def database_of(settings: Settings) -> "Database":
    """The database of a home, started and up to date."""
    from slomix_pipeline.runtime.home import open_database

    return open_database(settings)


def session_key(database: "Database", name: str) -> str:
    """The key of the session that is meant; ends with exit code 2 when there is none."""
    from slomix_pipeline.warehouse.reading import resolve_session

    with database.connect() as conn:
        key = resolve_session(conn, name)
    if key is None:
        err.print(f"There is no session {name!r}; slomix sessions lists them.", soft_wrap=True)
        sys.exit(2)
    if name not in ("latest", key):
        err.print(f"{name} was merged into {key}", soft_wrap=True)
    return key


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turns the errors people can do something about into one line; anything else is a bug and shows its trace."""
    try:
        yield
    except (SlomixError, FileExistsError, PermissionError) as error:
        _print_error(error)
        sys.exit(1)


def not_here(error: SlomixError) -> NoReturn:
    """Ends with exit code 2: what was named is not here, or can't be read."""
    _print_error(error)
    sys.exit(2)


def _print_error(error: Exception) -> None:
    for line in f"slomix: {error}".split("\n"):
        err.print(line, soft_wrap=True)


@contextmanager
def progress_bar() -> Iterator[Any]:
    """A bar on the terminal while something takes long; gives what ``Progress`` callbacks take."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("starting", total=1)
        yield lambda what, done, total: bar.update(task, description=visible(what), completed=done, total=total)
