"""``slomix identity``: who is who. Arguments, tables and exit codes.

Does not belong here: what a command does (``actions.identifying``).
"""

import getpass
from dataclasses import asdict
from datetime import UTC
from typing import TYPE_CHECKING

import click
from rich.table import Table

from slomix_pipeline.cli.groups import BY, WHY
from slomix_pipeline.cli.terminal import (
    Commands,
    clear_errors,
    database_of,
    not_here,
    out,
    print_json,
    progress_bar,
    read_settings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slomix_pipeline.actions.identifying import Finder
    from slomix_pipeline.rules.namesakes import Suggestion
    from slomix_pipeline.warehouse.identities import IdentityDecision


@click.group(cls=Commands)
def identity() -> None:
    """Say who is who: kept with who decided it, when and why; numbers of rounds stay with the GUID that played them."""


@identity.command(name="link")
@click.argument("guid")
@click.argument("discord_id", metavar="DISCORD_ID")
@click.option("--name", help="The display name he chose, of 2 to 32 characters.  [default: his latest in the game]")
@WHY
@BY
def identity_link(guid: str, discord_id: str, name: str | None, why: str, made_by: str | None) -> None:
    """Say that GUID is the Discord user of this id, and what he is called in messages. Nobody is ever pinged."""
    from slomix_pipeline.actions.identifying import discord_user

    _decide(discord_user(guid, discord_id, name), why, made_by)


@identity.command(name="unlink")
@click.argument("guid")
@WHY
@BY
def identity_unlink(guid: str, why: str, made_by: str | None) -> None:
    """Take back that GUID is a Discord user."""
    with clear_errors():
        from slomix_pipeline.actions import identifying

        with progress_bar() as progress:
            try:
                row = identifying.unlink(read_settings(), guid, why, made_by or getpass.getuser(), progress)
            except identifying.CantIdentify as error:
                not_here(error)
        out.print(f"Decision {row.id} is taken back: {_in_words(row)}", soft_wrap=True)


@identity.command(name="requests")
@click.option("--drop", metavar="DISCORD_ID", help="Forget what this user asked for, instead.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def identity_requests(drop: str | None, as_json: bool) -> None:
    """List who asked on Discord, by /link, which player he is: nothing follows from it before slomix identity link says
    so. Ask him first: whoever is on the Discord server can name any player."""
    with clear_errors():
        from slomix_pipeline.actions import identifying

        if drop is not None:
            try:
                identifying.drop_request(read_settings(), drop)
            except identifying.CantIdentify as error:
                not_here(error)
            out.print(f"What {drop} asked for is forgotten.")
            return
        rows = identifying.requests(read_settings())
        if as_json:
            print_json([asdict(row) for row in rows])
            return
        table = Table("Discord user", "called", "asks to be", "plays as", "when (UTC)", box=None)
        for row in rows:
            when = row.asked_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
            table.add_row(row.discord_id, row.called, row.guid, row.player or "", when)
        out.print(table if rows else "Nobody waits to be linked.")


@identity.command(name="merge")
@click.argument("guid")
@click.argument("into")
@WHY
@BY
def identity_merge(guid: str, into: str, why: str, made_by: str | None) -> None:
    """Say that GUID is the same person as INTO, as after a new installation: they have one career, under INTO."""
    from slomix_pipeline.actions.identifying import same_person

    _decide(same_person(guid, into), why, made_by)


@identity.command(name="reject")
@click.argument("guid")
@click.argument("other")
@WHY
@BY
def identity_reject(guid: str, other: str, why: str, made_by: str | None) -> None:
    """Say that GUID and OTHER are not the same person, so that nobody merges them."""
    from slomix_pipeline.actions.identifying import two_persons

    _decide(two_persons(guid, other), why, made_by)


@identity.command(name="hide")
@click.argument("guid")
@WHY
@BY
def identity_hide(guid: str, why: str, made_by: str | None) -> None:
    """Name the player of GUID nowhere any more, on his own wish. What his teams did stays as it was; what was posted
    on demand or by a schedule and names him is taken back for good."""
    from slomix_pipeline.actions.identifying import not_named

    _decide(not_named(guid), why, made_by)


@identity.command(name="list")
@click.option("--all", "also_revoked", is_flag=True, help="Also those that were taken back.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def identity_list(also_revoked: bool, as_json: bool) -> None:
    """List the decisions, oldest first, with the names that people play under, and who may be one person of whom nobody
    decided anything: it is for the admin's eyes."""
    with clear_errors():
        from slomix_pipeline.warehouse import identities, namesakes

        with database_of(read_settings()).snapshot() as conn:
            rows = identities.listed(conn, also_revoked=also_revoked)
            maybe = namesakes.suggested(conn)
        if as_json:
            print_json({"decisions": [asdict(row) for row in rows], "suggestions": [asdict(own) for own in maybe]})
            return
        table = Table("#", "decided", "by", "when (UTC)", "why", "taken back", box=None)
        for row in rows:
            back = "" if row.revoked_at is None else f"by {row.revoked_by}: {row.revoked_reason}"
            when = row.made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
            table.add_row(str(row.id), _in_words(row), row.made_by, when, row.reason, back)
        out.print(table if rows else "Nobody decided who is who.")
        _print_suggestions(maybe)


def _print_suggestions(maybe: "Sequence[Suggestion]") -> None:
    """What speaks for each, and what decides it either way. Nothing follows from it by itself."""
    if maybe:
        out.print("\nMaybe one person; nothing is merged before you say so:")
    for own in maybe:
        newer, older = f"{own.newer} ({own.newer_name})", f"{own.older} ({own.older_name})"
        out.print(f"{newer} and {older}: {', '.join(own.reasons)}", soft_wrap=True)
        for decision in ("merge", "reject"):
            out.print(f'    slomix identity {decision} {own.newer} {own.older} --why "…"', soft_wrap=True)


@identity.command(name="revoke")
@click.argument("number", type=int)
@WHY
@BY
def identity_revoke(number: int, why: str, made_by: str | None) -> None:
    """Take decision NUMBER back."""
    with clear_errors():
        from slomix_pipeline.actions import identifying

        with progress_bar() as progress:
            try:
                row = identifying.take_back(read_settings(), number, why, made_by or getpass.getuser(), progress)
            except identifying.CantIdentify as error:
                not_here(error)
        out.print(f"Decision {number} is taken back: {_in_words(row)}", soft_wrap=True)


def _decide(finder: "Finder", why: str, made_by: str | None) -> None:
    with clear_errors():
        from slomix_pipeline.actions import identifying
        from slomix_pipeline.rules.people import IdentityKind

        settings = read_settings()
        with progress_bar() as progress:
            try:
                decided = identifying.decide(settings, finder, why, made_by or getpass.getuser(), progress)
            except identifying.CantIdentify as error:
                not_here(error)
        made = decided.made
        out.print(
            f"{_in_words(made)}. Decision {made.id}; slomix identity revoke {made.id} takes it back.", soft_wrap=True
        )
        for message in decided.stands:
            out.print(f"Not taken back so far: {message.thing} ({message.trouble}: {message.detail})", soft_wrap=True)
        if made.kind is IdentityKind.HIDE and settings.answers_commands:
            out.print("What slash commands answered before stays: delete in Discord what names him.", soft_wrap=True)


def _in_words(row: "IdentityDecision") -> str:
    """What a decision says."""
    from slomix_pipeline.rules.people import IdentityKind

    who, other = f"{row.guid} ({row.player})", f"{row.other_guid} ({row.other_player})"
    match row.kind:
        case IdentityKind.LINK:
            called = "" if row.name is None else f", called {row.name}"
            return f"{who} is Discord user {row.discord_id}{called}"
        case IdentityKind.MERGE:
            return f"{who} is the same person as {other}"
        case IdentityKind.REJECT:
            return f"{who} is not the same person as {other}"
        case IdentityKind.HIDE:
            return f"{who} is shown as {row.name}"
