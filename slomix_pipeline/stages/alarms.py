"""Beside the stages: what whoever runs the server has to look at, told in the admin channel.

Belongs here: holding what is wrong against the alarms that were raised, and telling what changed.
Does not belong here: what is done when (``rules.alarms``), finding what is wrong (``warehouse.alarms``), the words
(``discord.alarm_messages``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from slomix_pipeline.rules.alarms import REOPENS_WITHIN, AlarmCause, Episode, Step, Symptom, next_step
from slomix_pipeline.rules.things import ALARMS, Thing, ThingKind, ToldAs
from slomix_pipeline.stages.backup_trouble import trouble_with_backups
from slomix_pipeline.stages.common import Tools
from slomix_pipeline.warehouse import alarms
from slomix_pipeline.warehouse.database import Database

if TYPE_CHECKING:
    from slomix_pipeline.discord.client import Discord


def tell_alarms(tools: Tools, now: datetime, failed_runs: Sequence[Symptom] | None = None) -> dict[str, str]:
    """Raises, brings up to date and ends alarms; nothing without an admin channel, or while somebody else does it.

    ``failed_runs``: None where nobody asked for them: that alarm stays as it is. Returns what became of each message.
    """
    if tools.channels.admin is None:
        return {}
    with tools.database.try_hold("alarms") as alone:
        return {} if alone is None else _tell(tools, tools.channels.admin, now, failed_runs)


def _tell(tools: Tools, channel: "Discord", now: datetime, failed_runs: Sequence[Symptom] | None) -> dict[str, str]:
    settings = tools.settings
    with tools.database.snapshot() as conn:
        found = alarms.symptoms(
            conn,
            now,
            over_after=settings.session_over_after,
            max_age=settings.publish_max_age,
            told=settings.tells_results() if settings.told_results else {"": False},
        )
        found += trouble_with_backups(conn, settings, now)
        latest = alarms.latest_episodes(conn)
    own = {cause: [s for s in (*found, *(failed_runs or ())) if s.cause is cause] for cause in AlarmCause}
    if failed_runs is None:
        del own[AlarmCause.FAILED_RUNS]
    episodes = _taken(tools.database, own, latest, now)
    if not episodes:
        return {}
    # Loaded here: the messages need requests, which loading the definitions doesn't.
    from slomix_pipeline.discord.alarm_messages import alarm_message, headline, over_message
    from slomix_pipeline.discord.telling import Telling

    telling = Telling(tools, channel, ALARMS, {_thing(episode).name for episode in episodes})
    for episode in episodes:
        over = episode.closed_at is not None
        symptoms = own[episode.cause]
        told = telling.tell(_thing(episode), over_message(episode) if over else alarm_message(episode, symptoms))
        said = episode.said if over else headline(episode.cause, symptoms)
        with tools.database.transaction() as conn:
            if told.outcome is ToldAs.STANDS:  # another webhook's: what goes on is told in a message of its own
                alarms.note_closed(conn, episode, now - 2 * REOPENS_WITHIN)
            if told.outcome in (ToldAs.SENT, ToldAs.EDITED, ToldAs.UNCHANGED, ToldAs.STANDS):
                alarms.note_told(conn, episode, said, now)
    return {thing: said.outcome.value for thing, said in telling.said.items()}


def _taken(
    database: Database,
    symptoms: Mapping[AlarmCause, Sequence[Symptom]],
    latest: Mapping[AlarmCause, Episode],
    now: datetime,
) -> list[Episode]:
    """The alarms of which something is to be told, after what is done about each cause was noted."""
    taken: list[Episode] = []
    with database.transaction() as conn:
        for cause, own in symptoms.items():
            episode = latest.get(cause)
            step = next_step(own, episode, now)
            if step is Step.OPEN:
                taken.append(alarms.open_episode(conn, cause, now))
            elif episode is not None and step is Step.TELL:
                taken.append(episode)
            elif episode is not None and step is not None:
                changed = replace(episode, closed_at=now if step is Step.CLOSE else None)
                alarms.note_closed(conn, changed, changed.closed_at)
                if step is Step.REOPEN or episode.told_at is not None:
                    taken.append(changed)
    return taken


def _thing(episode: Episode) -> Thing:
    return Thing(ThingKind.ALARM, f"{episode.cause}-{episode.id}")
