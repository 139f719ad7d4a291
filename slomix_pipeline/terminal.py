"""What all commands of the command line share: where they print, how they fail, what they open.

Belongs here: the terminal. Does not belong here: the commands themselves (``cli``, ``cli_groups``, ``commands``).
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from slomix_pipeline.errors import SlomixError
from slomix_pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from slomix_pipeline.commands.findings import Finding
    from slomix_pipeline.warehouse.database import Database

# Piped output has no width: lines stay whole there.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False)


def read_settings(**overrides: Any) -> Settings:
    """The settings in force; ends with exit code 2, naming each that can't be used."""
    try:
        return load_settings(**overrides)
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            err.print(f"SLOMIX_{name}: {problem['msg']}" if name else problem["msg"])
        sys.exit(2)


def print_findings(findings: "Iterable[Finding]") -> NoReturn:
    """Ends with exit code 0 when all is fine, else 1."""
    wrong = 0
    for finding in findings:
        mark = "[green]ok[/green]   " if finding.fine else "[red]wrong[/red]"
        out.print(f"{mark} {escape(finding.what)}: {escape(finding.text)}", soft_wrap=True)
        wrong += not finding.fine
    sys.exit(1 if wrong else 0)


def database_of(settings: Settings) -> "Database":
    """The database of a home, started and up to date."""
    from slomix_pipeline.commands.home import open_database

    return open_database(settings)


def session_key(database: "Database", name: str) -> str:
    """The key of the session that is meant; ends with exit code 2 when there is none."""
    from slomix_pipeline.warehouse.reading import resolve_session

    with database.connect() as conn:
        key = resolve_session(conn, name)
    if key is None:
        err.print(f"There is no session {name!r}; slomix sessions lists them.")
        sys.exit(2)
    if name not in ("latest", key):
        err.print(f"{name} was merged into {key}")
    return key


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turns the errors people can do something about into one line; anything else is a bug and shows its trace."""
    try:
        yield
    except (SlomixError, FileExistsError, PermissionError) as error:
        err.print(f"slomix: {error}", soft_wrap=True)
        sys.exit(1)


def not_here(error: SlomixError) -> NoReturn:
    """Ends with exit code 2: what was named is not here."""
    err.print(f"slomix: {error}", markup=False, soft_wrap=True)
    sys.exit(2)


@contextmanager
def progress_bar() -> Iterator[Any]:
    """A bar on the terminal while something takes long; gives what ``Progress`` callbacks take."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("starting", total=1)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)
