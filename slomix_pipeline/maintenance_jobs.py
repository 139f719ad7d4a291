"""The jobs that take in, rebuild, check and post again, from Dagster's launchpad: what the commands of these names do.

Belongs here: their configuration, and how they tell how far they are. Does not belong here: the work (``actions``,
``reports.validating``).
"""

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from enum import StrEnum
from typing import Any, TypeVar

import dagster as dg
from pydantic import Field

from slomix_pipeline.actions import rebuilding, syncing
from slomix_pipeline.actions.wiping import check_confirmed
from slomix_pipeline.checks.catalogue import add_partitions
from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.errors import SlomixError
from slomix_pipeline.formats.names import visible
from slomix_pipeline.jobs import ADMINS_RUN
from slomix_pipeline.post_jobs import clear_failures
from slomix_pipeline.reports.validating import validate
from slomix_pipeline.rules.reach import NotATime, Reach, ReachOf, reach_of
from slomix_pipeline.runtime.home import IN_A_RUN
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import Progress
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.reading import resolve_session
from slomix_pipeline.warehouse.rebuilds import Rebuild

_SAY_EVERY = 10.0  # seconds
_SINCE = "from this day on, as 2026-11-29, or from a time on, as 2026-11-29T20:30; null: without a limit"
_UNTIL = "up to this day, it included, or before a time; null: without a limit"


class NotUnderstood(SlomixError):
    """What was given can't be meant."""


class SyncConfig(dg.Config):
    """What ``slomix sync`` takes."""

    since: str | None = Field(default=None, description=_SINCE)
    until: str | None = Field(default=None, description=_UNTIL)
    everything: bool = Field(
        default=False, description="all files, however old; else without since and until those of the look-back"
    )
    server: str | None = Field(default=None, description="only this game server; null: all")
    publish: bool = Field(default=False, description="announce the results; else only what was said is corrected")


class SessionsConfig(dg.Config):
    """What ``slomix rebuild sessions`` takes."""

    sessions: list[str] = Field(default=[], description="keys of sessions, or latest")
    since: str | None = Field(default=None, description=f"in place of keys, those that began {_SINCE}")
    until: str | None = Field(default=None, description=_UNTIL)
    everything: bool = Field(default=False, description="in place of keys: all sessions")


class EverythingConfig(dg.Config):
    """What ``slomix rebuild everything`` takes: nothing."""


class ScratchConfig(dg.Config):
    """What ``slomix rebuild from-scratch`` takes."""

    confirm: str | None = Field(
        default=None, description="the name of what is here; a run without it does nothing but say what that is"
    )


class ValidateConfig(dg.Config):
    """What ``slomix validate`` takes."""

    sessions: list[str] = Field(default=[], description="only these sessions, by their keys, or latest")
    since: str | None = Field(default=None, description=f"only what was played {_SINCE}")
    until: str | None = Field(default=None, description=_UNTIL)


class How(StrEnum):
    """What was seen of a message."""

    SEND = "send it"
    IT_IS_THERE = "it is there"


class PostAgainConfig(dg.Config):
    """What ``slomix post --retry`` and ``--told`` take."""

    thing: str = Field(description="the message by its name in the ledger, as slomix audit and the checks have it")
    how: How = Field(
        default=How.SEND,
        description="send it: somebody looked, and it is not in the channel; it is there: somebody saw it",
    )
    message: str | None = Field(
        default=None,
        pattern="^[0-9]{1,20}$",
        description="of one that is there: its message id; so it can be corrected",
    )


Config = TypeVar("Config", bound=dg.Config)
Does = Callable[["Here", Config], Mapping[str, Any]]


class Here:
    """What a job works with."""

    def __init__(
        self, context: dg.OpExecutionContext, settings: Settings, database: Database, discord: Channels
    ) -> None:
        self.context, self.settings, self.database, self.discord = context, settings, database, discord
        self.progress = _in_the_log(context)

    def open_channels(self) -> nullcontext[Channels]:
        """Those that a run has."""
        return nullcontext(self.discord)

    def reach(self, since: str | None, until: str | None, everything: bool = False) -> ReachOf:
        """What is meant, by the clock of each game server."""
        try:
            reach_of(since, until, everything, self.settings.zone)
        except NotATime as error:
            raise NotUnderstood(str(error)) from None
        return lambda server: reach_of(since, until, everything, self.settings.of_server(server).zone)

    def sessions(self, names: list[str]) -> list[str]:
        """The keys of sessions that somebody named."""
        with self.database.connect() as conn:
            found = {name: resolve_session(conn, name) for name in names}
        if unknown := [name for name, key in found.items() if key is None]:
            raise NotUnderstood(f"there is no session {', '.join(map(repr, unknown))}; slomix sessions lists them")
        return list(dict.fromkeys(key for key in found.values() if key is not None))


def _in_the_log(context: dg.OpExecutionContext) -> Progress:
    """Progress as lines in a run's log, now and then."""
    said_at = 0.0

    def say(what: str, done: int, of: int) -> None:
        nonlocal said_at
        if time.monotonic() - said_at >= _SAY_EVERY:
            said_at = time.monotonic()
            context.log.info(f"{what}: {done:,} of {of:,}")

    return say


def _job(name: str, config_class: type[Config], does: Does[Config], description: str) -> dg.JobDefinition:
    """The job of one op that does what ``does`` does; what that returns is its metadata."""

    @dg.op(name=f"{name}_op", description=description)
    def work(
        context: dg.OpExecutionContext,
        config: config_class,  # type: ignore[valid-type]  # Dagster reads it
        settings: dg.ResourceParam[Settings],
        database: dg.ResourceParam[Database],
        discord: dg.ResourceParam[Channels],
    ) -> None:
        with clear_failures():
            found = does(Here(context, settings, database, discord), config)
        context.add_output_metadata(dict(found))

    return dg.GraphDefinition(name=name, node_defs=[work], description=description).to_job(tags=ADMINS_RUN)


def _sync(here: Here, config: SyncConfig) -> Mapping[str, Any]:
    def sync_one(own: Settings, reach: Reach) -> syncing.Synced:
        return syncing.sync(
            own,
            here.database,
            reach,
            here.open_channels,
            publish=config.publish,
            beside_run=True,
            progress=here.progress,
            patience=IN_A_RUN,
        )

    servers = syncing.servers_meant(here.settings, config.server)
    done, failed = syncing.sync_each(servers, here.reach(config.since, config.until, config.everything), sync_one)
    add_partitions(here.context.instance, here.database)
    found = {one.server: {"left to sensors": list(one.left), **one.summary.as_json()} for one in done}
    if failed:
        said = "; ".join(f"{server}: {visible(str(error))}" for server, error in failed.items())
        raise dg.Failure(said, {"synced": dg.MetadataValue.json(found)}, allow_retries=False)
    return found


def _rebuild_sessions(here: Here, config: SessionsConfig) -> Mapping[str, Any]:
    reach = here.reach(config.since, config.until, config.everything)
    if bool(config.sessions) == reach(here.settings.server).is_said:
        raise NotUnderstood("name sessions, or give since, until or everything")
    if config.sessions:
        keys = here.sessions(config.sessions)
    else:
        with here.database.connect() as conn:
            keys = rebuilding.sessions_in(conn, reach)
    with_these = here.settings, here.database, keys, here.open_channels, here.progress
    return {"sessions": rebuilding.rebuild_sessions(*with_these, IN_A_RUN)}


def _rebuild(here: Here, what: Rebuild) -> dict[str, Any]:
    rebuilt = rebuilding.rebuild(here.settings, here.database, what, here.open_channels, here.progress, IN_A_RUN)
    return rebuilt.as_json()


def _from_scratch(here: Here, config: ScratchConfig) -> Mapping[str, Any]:
    check_confirmed(here.settings, here.database, config.confirm)
    found = _rebuild(here, Rebuild.FROM_SCRATCH)
    if not found["equal"]:
        off = {name: table["keys"][:5] for name, table in found["tables"].items() if not table["equal"]}
        raise dg.Failure(
            f"not as it was: {', '.join(off)}", {"differs": dg.MetadataValue.json(off)}, allow_retries=False
        )
    if left_out := found["left_out"]:
        raise dg.Failure(
            f"what was compared is as it was; {len(left_out)} rounds and records were left out, as a run is at them or "
            "nothing dates them",
            {"left out": dg.MetadataValue.json(left_out)},
            allow_retries=False,
        )
    return found


def _validate(here: Here, config: ValidateConfig) -> Mapping[str, Any]:
    keys = here.sessions(config.sessions) if config.sessions else None
    reach = here.reach(config.since, config.until)
    found = validate(here.database, here.settings, reach, here.progress, keys)
    if not found.fine:
        raise dg.Failure(
            f"{found.differing.total()} differ from what the stored files give now",
            {"found": dg.MetadataValue.json(found.as_json())},
            allow_retries=False,
        )
    return {"found": found.as_json()}


def _post_again(here: Here, config: PostAgainConfig) -> Mapping[str, Any]:
    from slomix_pipeline.actions import posting  # loads requests

    with_these = here.settings, here.database, here.open_channels
    if config.how is How.IT_IS_THERE:
        text = posting.note_told(*with_these, config.thing, config.message, here.progress)
    else:
        text = posting.send_again(*with_these, config.thing, here.progress)
    here.context.log.info(text)
    return {"outcome": text}


JOBS = [
    _job(
        "sync",
        SyncConfig,
        _sync,
        "Takes in what lies on the game server and is not through, at once: of the look-back, of some days, or all. "
        "What sensors are about to take is left to them. What slomix sync does.",
    ),
    _job(
        "rebuild_sessions",
        SessionsConfig,
        _rebuild_sessions,
        "Works sessions out anew from their rounds: teams, score, reports. Only corrects what was said.",
    ),
    _job(
        "rebuild_everything",
        EverythingConfig,
        lambda here, _: _rebuild(here, Rebuild.EVERYTHING),
        "Takes all rounds through all stages again, from stored bytes. Only corrects what was said. A run that was "
        "stopped is gone on with by the next.",
    ),
    _job(
        "rebuild_from_scratch",
        ScratchConfig,
        _from_scratch,
        "Takes away all that is derived, batch by batch, makes it anew from stored bytes and proves that it is as it "
        "was; fails when something differs. Files, decisions, messages and what was learned stay.",
    ),
    _job(
        "validate",
        ValidateConfig,
        _validate,
        "Holds everything that is stored against what the stored files give now; writes nothing, and fails when "
        "something differs.",
    ),
    _job(
        "post_again",
        PostAgainConfig,
        _post_again,
        "Settles a message in doubt, refused or never told: sends it again, or notes that it is there.",
    ),
]
