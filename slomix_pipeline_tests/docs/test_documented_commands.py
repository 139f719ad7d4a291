"""What the pages tell people to type is run, and there is no command that they don't tell of.

Lines of code blocks are run for real, page by page, each page on a fresh copy of one evening; what stands within a sentence
is held against what the command line knows. ``followed`` has what example keys and names stand for. A new command needs
nothing here but, if so, what it needs beside that evening (``FIRST``), what is typed when it asks (``ANSWERS``), an exit
code other than 0 (``ENDS_WITH``), or the test that runs it, where it runs for ever or takes more than one server
(``TRIED_BY``).
"""

import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import LiteralString

import click
import pytest

from slomix_pipeline.checks.golden import golden_night
from slomix_pipeline.cli.main import main
from slomix_pipeline.definitions import ASSETS
from slomix_pipeline.site.interactions.commands import COMMANDS
from slomix_pipeline_tests import cluster
from slomix_pipeline_tests.actions import test_backups
from slomix_pipeline_tests.cli import test_commands
from slomix_pipeline_tests.cli.test_terminal import every_command
from slomix_pipeline_tests.docs.followed import Followed, followed
from slomix_pipeline_tests.docs.pages import ROOT, code_lines, inline_code, pages, words_of
from slomix_pipeline_tests.pipeline_fixtures import SLOMIX

__all__ = ["followed"]

# What has to be so before a command that begins with these words, as SQL about the word behind them.
FIRST: dict[str, LiteralString] = {
    "post --retry": "update post set state = 'in_doubt', message_id = null where thing = %s",
    "post --told": "update post set state = 'in_doubt', message_id = null where thing = %s",
    "identity requests --drop": "insert into link_request values (%s, 'somebody', 'ada')",
}
# What is typed where a command that begins with this word asks.
ANSWERS = {"restore": "replace\n"}
# Lines that end otherwise than with 0.
ENDS_WITH = {
    "lua status": 1,  # before our script is copied
    "rebuild from-scratch": 2,  # it only says what it would do
}
# Commands that run for ever, through a whole evening or from server to server, and the test that sees them to their end, or
# what starts them for tests that need more than is always installed.
TRIED_BY = {
    "run": test_commands.test_run_brings_everything_up_and_takes_everything_down,
    "demo": test_commands.test_the_demo_comes_out_as_it_was_played,
    "move": test_backups.test_a_home_moves_to_a_server_of_ones_own_and_back,
    "worker": cluster.machines,
}


def typed_on(page: Path, program: str = "slomix") -> list[list[str]]:
    """The words behind the program of each such line in a page's code blocks."""
    return [words for line in code_lines(page) if (words := words_of(line, program)) is not None]


def mentioned_on(page: Path, program: str = "slomix") -> list[list[str]]:
    """The same of what stands within sentences, with placeholders and brackets."""
    return [text.split()[1:] for text in inline_code(page) if text.split()[:1] in ([program], [f".venv/bin/{program}"])]


# --- run for real ---


@pytest.mark.parametrize("page", [page for page in pages() if typed_on(page)], ids=str)
def test_the_commands_of_a_page_end_as_it_says(page: Path, followed: Followed) -> None:
    wrong = []
    with followed.afresh() as there:
        for words in typed_on(page):
            if words[0] in TRIED_BY:
                continue
            meant = [there.put(word) for word in words]
            for begin, statement in FIRST.items():
                if words[: len(begin.split())] == begin.split():
                    with there.pipeline.database.transaction() as conn:
                        conn.execute(statement, [meant[len(begin.split())]])
            done = there.slomix(*meant, typed=ANSWERS.get(words[0]))
            if done.exit_code != ENDS_WITH.get(" ".join(words), 0):
                wrong.append((" ".join(words), done.exit_code, done.output[-2000:], done.exception))
    assert wrong == []


def test_the_pages_are_served_until_somebody_stops_them(followed: Followed) -> None:
    command = [*SLOMIX, "site", "--port", "0"]
    settings = {"SLOMIX_POSTGRES_URL": followed.pipeline.database.url}
    environment = test_commands.environment(followed.pipeline.settings.home, **settings)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as site:
        try:
            assert site.stdout is not None
            address = site.stdout.readline().split()[-1]
            assert asked(address)
        finally:
            site.terminate()
            site.wait(60)


def asked(address: str) -> bool:
    """Whether the pages answer, which takes a moment after they said where."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(address, timeout=20) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False


# --- held against what there is ---


def known(words: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The command that words name, and what of them it does not know."""
    command: click.Command = main
    path: list[str] = []
    unknown = []
    before = ""
    for word in (word.strip("[]") for word in words):
        if isinstance(command, click.Group) and word in command.commands:
            command = command.commands[word]
            path.append(word)
        elif word.startswith("-"):
            if word != "--help" and not any(word.partition("=")[0] in option.opts for option in command.params):
                unknown.append(word)
        elif isinstance(command, click.Group) and not before.startswith("-") and re.fullmatch(r"[a-z-]+", word):
            unknown.append(word)
        before = word
    return tuple(path), unknown


@pytest.mark.parametrize("page", pages(), ids=str)
def test_whatever_a_page_mentions_is_known(page: Path) -> None:
    strange = {" ".join(words): known(words)[1] for words in [*mentioned_on(page), *typed_on(page)]}
    assert {text: unknown for text, unknown in strange.items() if unknown} == {}


def test_the_pages_name_every_command() -> None:
    named = {known(words)[0] for page in pages() for words in [*mentioned_on(page), *typed_on(page)]}
    assert sorted(set(every_command()) - named) == []


def test_the_page_of_commands_names_every_option_beside_its_command() -> None:
    """Or above the table, where all commands of it have it."""
    lines = (ROOT / "docs" / "commands.md").read_text("utf-8").splitlines()
    missing = []
    for path in every_command():
        name = f"slomix {' '.join(path)}"
        said = "".join(line for line in lines if name in line or not line.startswith("|"))
        options = [option for option in command_at(path).params if isinstance(option, click.Option)]
        missing += [f"{name} {opts[-1]}" for opts in (option.opts for option in options) if opts[-1] not in said]
        words = [word for given in command_at(path).params for word in getattr(given.type, "choices", ())]
        missing += [
            f"{name}: {word}"
            for word in words
            if f"`{word}`" not in said and "see slomix" not in (command_at(path).help or "")
        ]
    assert missing == []


def command_at(path: Sequence[str]) -> click.Command:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return command


# --- make ---


def targets() -> list[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return sorted(name for line in re.findall(r"^\.PHONY:(.*)$", makefile, re.M) for name in line.split())


def made_on(page: Path) -> Iterator[str]:
    for words in [*mentioned_on(page, "make"), *typed_on(page, "make")]:
        yield from (word for word in words if "=" not in word)


def test_the_pages_name_every_target_and_no_other() -> None:
    assert sorted({name for page in pages() for name in made_on(page)}) == targets()


@pytest.mark.parametrize("target", targets())
def test_what_a_target_would_run_is_there(target: str) -> None:
    plan = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert plan.returncode == 0, plan.stderr
    assert plan.stdout.strip()
    files = re.findall(r"(?<![\w/.'])(?:benchmarks|deploy|docs|lua|slomix_pipeline_tests)/[\w./-]*", plan.stdout)
    assert [name for name in files if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", pages(), ids=str)
def test_the_tests_that_a_page_has_people_run_are_there(page: Path) -> None:
    lines = [*code_lines(page), *inline_code(page)]
    tests = [word for line in lines if "pytest" in line for word in line.split() if word.startswith("slomix_pipeline")]
    assert [name for name in tests if not (ROOT / name).exists()] == []


def test_the_page_of_troubles_says_what_to_make_of_every_check() -> None:
    _, _, part = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").partition("## A check warns")
    named = set(re.findall(r"`([a-z_]+)`", "".join(row for row in part.splitlines() if row.startswith("|"))))
    checks = {spec.name for asset in ASSETS for spec in asset.check_specs} | {
        spec.name for spec in golden_night.check_specs
    }
    assert sorted(checks - named) == []


# --- slash commands ---


def test_the_slash_commands_of_the_pages_can_be_typed() -> None:
    options = {str(c.name): {str(option.name): option for option in c.options} for c in COMMANDS}
    seen = set()
    for text in (text for page in pages() for text in inline_code(page)):
        name, *given = text.removeprefix("/").split()
        if text.startswith("/") and name in options:
            seen.add(name)
            for word in (word for word in given if ":" in word):
                option, _, value = word.partition(":")
                choices = [choice for choice, _ in options[name][option].choices]
                assert not (value and choices) or value in choices, text
    assert sorted(seen) == sorted(options)
