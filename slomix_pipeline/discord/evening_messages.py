"""What is said of several evenings at once: those of this calendar day in earlier years, those since the last morning.

Belongs here: wording and order. Does not belong here: the summary of one session (``session_messages``), which evenings
there are (``warehouse.evenings``).
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from slomix_pipeline.discord.board_messages import as_of_text, reached_lines, titled_record_text
from slomix_pipeline.discord.embeds import Embed, Message, block
from slomix_pipeline.discord.session_messages import shares_known, verdict_text
from slomix_pipeline.discord.team_blocks import best_text
from slomix_pipeline.discord.wording import NEUTRAL, team_text
from slomix_pipeline.reports.career_words import count
from slomix_pipeline.warehouse.evenings import Evening
from slomix_pipeline.warehouse.records import RecordSeen


def on_this_day_message(
    day: date, evenings: Sequence[Evening], records: Sequence[RecordSeen], as_of: datetime
) -> Message:
    """What was played on this day in earlier years. ``records``: those of these evenings that still stand."""
    reached = [
        f"{line} · <t:{int(evening.session.started_at.timestamp())}:d>"
        for evening in evenings
        for line in reached_lines(evening.unlocked)
    ]
    embed = Embed(
        title=f"On this day, {day.day} {day:%B}",
        description=as_of_text(as_of),
        color=NEUTRAL,
        fields=(
            *block("Played", [line for evening in evenings for line in _played(evening, "D")]),
            *block("Records that still stand", [titled_record_text(record) for record in records]),
            *block("Reached for the first time", reached),
        ),
    )
    return Message(embeds=(embed,))


def digest_message(evenings: Sequence[Evening], as_of: datetime) -> Message:
    """What was played since the last morning."""
    matches, rounds = (sum(getattr(evening.session, of) for evening in evenings) for of in ("matches", "rounds"))
    played = ", ".join([count(len(evenings), "session"), count(matches, "match", "matches"), count(rounds, "round")])
    embed = Embed(
        title="Since the last morning",
        description=f"{played}\n{as_of_text(as_of)}",
        color=NEUTRAL,
        footer=" · ".join(evening.session.session_key for evening in evenings[:_KEYS_SHOWN]),
        fields=(
            *block("Played", [line for evening in evenings for line in _played(evening, "f")]),
            *block(
                "Reached for the first time",
                [line for evening in evenings for line in reached_lines(evening.unlocked)],
            ),
        ),
    )
    return Message(embeds=(embed,))


_KEYS_SHOWN = 5


def _played(evening: Evening, style: str) -> Iterator[str]:
    """An evening in one line, and one for who was best of each team. ``style``: of Discord's time tag."""
    start, maps = int(evening.session.started_at.timestamp()), count(evening.session.matches, "match", "matches")
    yield f"<t:{start}:{style}> · **{verdict_text(evening.session, evening.teams)}** · {maps}"
    for team in shares_known(evening.matches):
        if best := best_text([player for player in evening.players if player.team == team]):
            yield f"-# MVP of {team_text(evening.teams[team])}: {best}"
