"""Messages of several evenings: within Discord's limits whatever names are, no evening lost, nobody pinged."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.discord.embeds import to_payload
from slomix_pipeline.discord.evening_messages import digest_message, on_this_day_message
from slomix_pipeline.warehouse.careers import Unlocked
from slomix_pipeline.warehouse.evenings import Evening
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline_tests.building import EVENING
from slomix_pipeline_tests.discord.seen import MATCHES, PLAYER, SESSION, fits, lines_of, match_of, seen, totals
from slomix_pipeline_tests.discord.test_board_messages import DEEDS, MILESTONES, PLAYERS, RECORDS

ONE = st.builds(
    Evening,
    st.just(SESSION),
    st.lists(MATCHES, min_size=1, max_size=1).map(tuple),
    st.lists(PLAYER, max_size=6).map(tuple),
    st.lists(st.builds(Unlocked, PLAYERS, MILESTONES, DEEDS), max_size=4).map(tuple),
)
EVENINGS = st.tuples(ONE, st.integers(1, 40)).map(lambda drawn: [drawn[0]] * drawn[1])
DAY = date(2031, 5, 6)
ADA = totals(1, name="@everyone *Ada*", impact=1.4)
PLAIN = Evening(SESSION, (match_of(seen(), seen()),), (ADA, totals(3), totals(2), totals(4)), ())


@given(EVENINGS, st.lists(RECORDS, max_size=9))
def test_any_evenings_fit_and_none_is_left_out(evenings: list[Evening], records: list[RecordSeen]) -> None:
    for message in (on_this_day_message(DAY, evenings, records, EVENING), digest_message(evenings, EVENING)):
        assert fits(message)
        assert sum(line.startswith("<t:") for line in lines_of(message)) >= len(evenings)


def test_an_evening_is_told_with_its_winner_and_the_best_of_each_team() -> None:
    lines = lines_of(on_this_day_message(DAY, [PLAIN], [], EVENING))
    assert lines[0] == f"<t:{int(SESSION.started_at.timestamp())}:D> · **Team A wins 3–2** · 10 matches"
    assert lines[2].startswith("-# MVP of Team B: **\\@everyone\u00a0\\*Ada\\***\u00a01.40")


def test_nobody_is_called_the_best_where_somebody_without_identity_played() -> None:
    unknown = Evening(SESSION, (match_of(seen(), seen(), without_identity=("x",)),), PLAIN.players, ())
    assert len(lines_of(digest_message([unknown], EVENING))) == 1


def test_nobody_is_pinged() -> None:
    message = digest_message([PLAIN, PLAIN], EVENING)
    assert to_payload(message)["allowed_mentions"] == {"parse": []}
    assert message.embeds[0].description.startswith("2 sessions, 20 matches, 40 rounds\n-# As of <t:")
