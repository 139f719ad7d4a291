"""The one place from which messages go out that did not when it was their turn: what Discord did not take, and what a
run died before.

What can't be told any more, or may have been told by somebody who died, is reported here, once. Does not belong here:
the telling (``stages.outbox``), what waits (``warehouse.due``).
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from slomix_pipeline.checks.layers import report_alarm
from slomix_pipeline.discord.channels import Channels, open_channels
from slomix_pipeline.discord.patience import Patience
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.rules.things import UNCHECKED
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.common import Tools, Wish
from slomix_pipeline.stages.outbox import TELLERS, deliver
from slomix_pipeline.warehouse import due, results, unfinished
from slomix_pipeline.warehouse.database import Database

SETTLE = timedelta(seconds=15)  # a run that is just telling is not behind
SECONDS_PER_TICK = 20.0  # of waiting, for Discord and who else tells; a tick is cut off after a minute
ALARMS_AT_ONCE = 10  # per tick: each is an event of Dagster's
STARTED_AT = datetime.now(UTC)  # this process, and with it its settings


def raise_alarms(context: dg.SensorEvaluationContext, database: Database) -> None:
    """Reports messages that nobody can tell any more: in the log and, where one is about it, as a failed check; each
    once, the oldest first."""
    from slomix_pipeline.discord.doubts import settle_abandoned  # loads requests

    settle_abandoned(database)
    for _ in range(ALARMS_AT_ONCE):
        with database.transaction() as conn:
            alarm = due.next_alarm(conn)
            if alarm is None:
                return
            if alarm.thing.kind not in UNCHECKED:
                report_alarm(context.instance, conn, alarm)
        context.log.error(f"message {alarm.thing.name} is {alarm.trouble}: {alarm.detail}")


def take_up_again(database: Database, channels: Channels, settings: Settings) -> None:
    """Has corrected what could not be, because another webhook or thread was set than it was sent with."""
    from slomix_pipeline.discord import doubts

    for channel in channels.all():
        doubts.take_up_again(database, channel, datetime.now(UTC) + settings.publish_max_age)


def look_after_messages(context: dg.SensorEvaluationContext, tools: Tools) -> None:
    """What is in doubt or missed is reported; when that fails, the log says so, and others are told all the same."""
    try:
        take_up_again(tools.database, tools.channels, tools.settings)
        raise_alarms(context, tools.database)
    except Exception:
        context.log.exception("messages that are not told could not be looked after")


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells what is due and did not arrive, with growing pauses, and reports what can't be told any more. "
    "Starts no run.",
)
def outbox_sensor(
    context: dg.SensorEvaluationContext, settings: dg.ResourceParam[Settings], database: dg.ResourceParam[Database]
) -> dg.SkipReason:
    patience = Patience(SECONDS_PER_TICK)
    channels = open_channels(settings, patience)
    tools = Tools(database, settings, NoGameServer(), channels, Wish.LIVE, context.log, patience)
    look_after_messages(context, tools)
    kinds = [kind for kind in tools.channels.kinds_told() if kind in TELLERS]
    with database.transaction() as conn:
        if settings.discord_leave_out:
            due.leave_out(conn, settings.discord_leave_out, STARTED_AT)
        due.forget_told(conn)
        waiting = due.waiting(conn, kinds, datetime.now(UTC) - SETTLE, STARTED_AT)
        if waiting and (busy := unfinished.in_command(database)):  # an import tells what it announces itself
            theirs = {*busy, *results.sessions_of(conn, busy)}
            waiting = [one for one in waiting if not theirs & {one.partition_key, one.session_key}]
    tried = deliver(tools, waiting)
    if not tried:
        return dg.SkipReason("nothing waits that can be told now")
    return dg.SkipReason(f"tried {len(tried)} of {len(waiting)} messages: {', '.join(tried[:10])}")
