"""Messages of boards, players and records: within Discord's limits whatever names are, nobody cut, nobody lost."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from slomix_pipeline.discord import board_messages
from slomix_pipeline.discord.embeds import Message, to_payload
from slomix_pipeline.discord.session_messages import session_message
from slomix_pipeline.rules.attack_order import advantage
from slomix_pipeline.rules.boards import BOARDS, Board, BoardName, threshold
from slomix_pipeline.rules.milestones import LADDERS, Deed, Milestone, Number, Progress, SoFar
from slomix_pipeline.rules.par import HoldingCurve, Par
from slomix_pipeline.rules.records import KINDS, NightBest, PersonalBest, RecordKind, RecordLevel
from slomix_pipeline.rules.team_names import NAME_LENGTH, NameSource, TeamName
from slomix_pipeline.warehouse.boards import BoardRow
from slomix_pipeline.warehouse.careers import (
    AliasSeen,
    Career,
    CareerNumbers,
    Form,
    NightSeen,
    PlayerFound,
    Unlocked,
    WeaponSeen,
)
from slomix_pipeline.warehouse.deeds import DeedSeen
from slomix_pipeline.warehouse.fallen_records import FallenRecord, Held
from slomix_pipeline.warehouse.highlights import Highlights
from slomix_pipeline.warehouse.map_cards import Finish, MapCurves, ParUntilGivenUp
from slomix_pipeline.warehouse.maps import MapSeen
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline.warehouse.standings import Meetings, Standing
from slomix_pipeline_tests.building import EVENING
from slomix_pipeline_tests.discord.seen import FINE, HOSTILE, NUMBER, RATIO, SESSION, fits, lines_of, totals

KILLS = BOARDS[BoardName.KILLS]
STRANGE = st.one_of(HOSTILE, st.just("a" + "\u0301" * 3000), st.just("👩\u200d🚀" * 60), st.just("x" * 3000))
WHEN = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
COUNT = st.integers(0, 10**7)
STANDING = st.builds(Standing, COUNT, COUNT, COUNT)
SO_FAR = st.builds(SoFar, *[st.just("main:r")] * 3, STRANGE, WHEN, *[COUNT] * 2, *[NUMBER] * 2, *[NUMBER] * 5, COUNT)
MILESTONES = st.lists(
    st.sampled_from([(number, step) for number, ladder in LADDERS.items() for step in ladder.steps]), max_size=40
).flatmap(
    lambda steps: st.tuples(*[st.builds(Milestone, st.just(n), st.just(s), st.booleans(), SO_FAR) for n, s in steps])
)
DEEDS = st.lists(st.sampled_from(list(Deed)), unique=True).flatmap(
    lambda deeds: st.tuples(
        *[st.builds(DeedSeen, st.just(d), STRANGE, st.none(), *[st.just("main:x")] * 2, WHEN) for d in deeds]
    )
)
PROGRESS = st.tuples(
    *[
        st.builds(
            Progress,
            st.just(number),
            RATIO,
            st.sampled_from([None, *ladder.steps]),
            st.sampled_from([None, *ladder.steps]),
            COUNT,
        )
        for number, ladder in LADDERS.items()
    ]
)
RECORDS = st.builds(
    RecordSeen,
    st.sampled_from(list(RecordKind)),
    st.sampled_from(list(RecordLevel)),
    st.floats(0, 1e7),
    st.just(("ADA00001",)),
    st.lists(STRANGE, min_size=1, max_size=20).map(tuple),
    st.one_of(st.none(), STRANGE),
    WHEN,
    *[st.just("main:x")] * 4,
    st.just("0" * 64),
    st.none(),
    COUNT,
)
CAREERS = st.builds(
    Career,
    st.just("ADA00001"),
    STRANGE,
    st.builds(CareerNumbers, COUNT, WHEN, WHEN, *[RATIO] * 13),
    STANDING,
    st.builds(
        Form,
        st.lists(st.builds(NightSeen, st.just("s"), WHEN, COUNT, *[RATIO] * 3), max_size=5).map(tuple),
        RATIO,
        RATIO,
    ),
    st.lists(st.builds(WeaponSeen, STRANGE, *[COUNT] * 3, RATIO, RATIO), max_size=5).map(tuple),
    st.lists(st.builds(AliasSeen, STRANGE, COUNT, WHEN, WHEN), max_size=40).map(tuple),
    st.lists(RECORDS, max_size=9).map(tuple),
    MILESTONES,
    DEEDS,
    PROGRESS,
)
ROWS = st.lists(st.tuples(STRANGE, st.floats(0, 1e7), COUNT, COUNT), max_size=40).map(
    lambda rows: [BoardRow(rank, "ADA00001", *row) for rank, row in enumerate(rows, start=1)]
)


def shown(message: Message, sign: str) -> int:
    """Lines that bear the sign of a whole one."""
    return sum(sign in line for line in lines_of(message))


@given(st.sampled_from(list(BOARDS.values())), ROWS, st.one_of(st.none(), STRANGE), st.one_of(st.none(), WHEN))
def test_every_board_fits_and_loses_nobody(
    board: Board, rows: list[BoardRow], map_name: str | None, since: datetime | None
) -> None:
    message = board_messages.board_message(board, threshold(board), rows, EVENING, map_name, since)
    assert fits(message)
    counted = [int(line.split()[2]) for line in lines_of(message) if line.startswith("… and ")]
    assert shown(message, " round") + sum(counted) == len(rows)


@given(CAREERS, CAREERS, st.builds(Meetings, STANDING, STANDING))
def test_every_player_fits_alone_and_beside_another(one: Career, other: Career, met: Meetings) -> None:
    assert fits(board_messages.player_message(one, EVENING))
    assert fits(board_messages.compare_message(one, other, met, EVENING))


@given(st.lists(RECORDS, max_size=40), st.one_of(st.none(), STRANGE))
def test_every_book_of_records_fits_and_loses_none(records: list[RecordSeen], map_name: str | None) -> None:
    message = board_messages.records_message(records, EVENING, map_name)
    assert fits(message)
    assert shown(message, "<t:") == len(records)


SECONDS = st.one_of(st.none(), st.integers(0, 10**5))
CURVES = st.builds(HoldingCurve, COUNT, st.just(()), COUNT)
FINISHES = st.builds(
    Finish,
    *[st.just("main:r")] * 3,
    WHEN,
    st.builds(TeamName, st.just("A"), HOSTILE.map(lambda name: name[: NAME_LENGTH[-1]]), st.sampled_from(NameSource)),
    *[st.integers(0, 10**5)] * 2,
)
MAPS = st.builds(
    MapSeen,
    STRANGE,
    *[COUNT] * 4,
    WHEN,
    SECONDS,
    COUNT,
    st.builds(Par, COUNT, COUNT, SECONDS, st.one_of(st.none(), st.floats(0, 1)), SECONDS, SECONDS),
    st.builds(advantage, st.integers(0, 99), st.integers(0, 99)),
    st.one_of(st.none(), st.builds(MapCurves, CURVES, CURVES, CURVES, st.builds(ParUntilGivenUp, SECONDS))),
    st.lists(FINISHES, max_size=5).map(tuple),
    st.lists(RECORDS, max_size=40).map(tuple),
)


@given(MAPS)
def test_every_map_fits_and_loses_no_record_and_no_finish(seen: MapSeen) -> None:
    message = board_messages.map_message(seen, EVENING)
    assert fits(message)
    assert shown(message, "<t:") == len(seen.records) + len(seen.finishes)


PLAYERS = st.builds(PlayerFound, st.just("ADA00001"), STRANGE, st.just(()), st.just(EVENING))


@given(st.lists(st.builds(Unlocked, PLAYERS, MILESTONES, DEEDS), max_size=40))
def test_every_summary_with_what_players_reached_fits_and_loses_nobody(unlocked: list[Unlocked]) -> None:
    players = [totals(n) for n in range(40)]
    message = session_message(SESSION, [], players, FINE, highlights=Highlights(unlocked=unlocked))
    assert fits(message)
    lines = lines_of(message)
    assert any("first time" in field.name for field in message.embeds[0].fields) == bool(unlocked)
    assert sum(" · " in line or "%`" in line for line in lines) == len(unlocked) + len(players)


HELD = st.builds(
    Held,
    st.sampled_from(list(RecordKind)),
    st.sampled_from(list(RecordLevel)),
    st.one_of(st.none(), STRANGE),
    st.just("main:s"),
    st.floats(0, 1e7),
    WHEN,
    st.just(("ADA00001",)),
    st.lists(STRANGE, max_size=20).map(tuple),
)


@given(st.lists(st.builds(FallenRecord, HELD, HELD), max_size=40))
def test_every_summary_with_records_that_fell_fits_and_loses_none(fallen: list[FallenRecord]) -> None:
    message = session_message(SESSION, [], [], FINE, highlights=Highlights(records=fallen))
    assert fits(message)
    assert any(field.name == "Records" for field in message.embeds[0].fields) == bool(fallen)
    assert sum("<t:" in line for line in lines_of(message)) == len(fallen)


def test_a_record_that_fell_says_what_stood_before_and_since_when() -> None:
    old = Held(RecordKind.KILLS, RecordLevel.ROUND, "te_escape2", "s", 38, EVENING, ("BOB00002",), ("Bob",))
    new = replace(old, value=41, names=("*Ada*",), map="supply")
    since = f"<t:{int(EVENING.timestamp())}:R>"
    told = board_messages.fallen_record_text
    assert told(FallenRecord(new, old)) == rf"**41 kills** in a round · \*Ada\* · supply · before 38 (Bob, {since})"
    unnamed = FallenRecord(replace(new, names=(), map=None, level=RecordLevel.SESSION), replace(old, names=()))
    assert told(unnamed) == f"**41 kills** in a session · before 38 ({since})"
    attacks = [replace(held, kind=RecordKind.ATTACK, value=held.value + 108) for held in (new, old)]
    slower = f"before 2:26 (Bob, {since})"
    assert told(FallenRecord(*attacks)) == rf"**fastest attack in 2:29** · \*Ada\* · supply · {slower}"
    spree = [replace(held, kind=RecordKind.KILLING_SPREE) for held in (new, old)]
    assert told(FallenRecord(*spree)).startswith("**killing spree of 41** in a round")


def test_a_name_works_nowhere_as_markup_and_nobody_is_pinged() -> None:
    row = BoardRow(1, "ADA00001", "**@everyone** [x](https://x.example)", 5, 3, 3)
    message = board_messages.board_message(KILLS, threshold(KILLS), [row], EVENING, "_map_")
    (line,) = lines_of(message)
    assert r"\*\*\@everyone\*\*" in line
    assert message.embeds[0].title == r"Kills · \_map\_"
    assert to_payload(message)["allowed_mentions"] == {"parse": []}


def test_a_place_over_some_of_the_rounds_says_so() -> None:
    row = BoardRow(1, "ADA00001", "Ada", 500, 212, 380)
    (line,) = lines_of(board_messages.board_message(KILLS, threshold(KILLS), [row], EVENING))
    assert line == "` 1` **Ada** · 500 · 212 of 380 rounds"


def test_a_board_on_which_nobody_stands_says_why() -> None:
    (embed,) = board_messages.board_message(KILLS, threshold(KILLS), [], EVENING).embeds
    assert "from 10 rounds and 300 damage" in embed.description and "Nobody has played enough" in embed.description


def plainly(text: str) -> str:
    """A text without what keeps its words together."""
    return text.replace("\u00a0", " ")


def career_of(name: str, kd: float | None) -> Career:
    numbers = CareerNumbers(20, EVENING, EVENING, 40, 20, kd, *[None] * 10)
    return Career("ADA00001", name, numbers, Standing(3, 1, 2), Form((), None, None), *[()] * 6)


def test_two_players_are_shown_side_by_side_the_higher_ratio_bold() -> None:
    message = board_messages.compare_message(
        career_of("Ada", 2), career_of("Bob", 1.5), Meetings(Standing(2, 0, 1), Standing(0, 0, 0)), EVENING
    )
    assert "K/D: **2.00** – 1.50" in lines_of(message)
    assert "kills: 40 – 40" in lines_of(message) and "accuracy: – – –" in lines_of(message)
    assert "Together: 2 won, 1 lost" in message.embeds[0].description


def test_what_is_not_known_of_a_player_is_not_made_up() -> None:
    message = board_messages.player_message(career_of("Ada", None), EVENING)
    assert "K/D: **–**" in lines_of(message)
    assert " ".join(lines_of(message)).count("too few nights before") == 1


def test_what_is_known_of_all_rounds_does_not_say_of_how_many() -> None:
    career = replace(career_of("Ada", 2), progress=(Progress(Number.REVIVES_GIVEN, 80, None, 100, 20),))
    assert "80 of 100 revives" in lines_of(board_messages.player_message(career, EVENING))


def test_latest_nights_stand_one_below_the_other() -> None:
    nights = (NightSeen("s", EVENING, 14, 40, 1.35, 289.2), NightSeen("r", EVENING, 2, 4, None, 1011.04))
    career = replace(career_of("Ada", 2), form=Form(nights, 1.2, None))
    lines = lines_of(board_messages.player_message(career, EVENING))
    day = f"<t:{int(EVENING.timestamp())}:d>"
    assert "-# K/D · damage per minute · rounds; usually K/D 1.20" in lines
    assert {f"`1.35   289.2 14` {day}", f"`   – 1,011.0  2` {day}"} <= set(lines)


def test_weapons_have_the_names_that_players_use_and_accuracy_where_that_says_something() -> None:
    weapons = (
        WeaponSeen("mp40", 1236, 1, 1, 37.0, 1.0),
        WeaponSeen("grenade_launcher", 1, 1, 1, 100.0, 0.0),
        WeaponSeen("new_*gun*", 5, 1, 1, 100.0, 0.0),
    )
    lines = lines_of(board_messages.player_message(replace(career_of("Ada", 2), weapons=weapons), EVENING))
    told = [plainly(line) for line in lines]
    assert {"MP40 · 1,236 kills · 37.0 % accuracy", "Rifle grenades · 1 kill", r"new\_\*gun\* · 5 kills"} <= set(told)


def test_a_record_that_was_equalled_is_its_first_holders() -> None:
    record = RecordSeen(
        RecordKind.DPM,
        RecordLevel.ROUND,
        559.04,
        ("ADA00001",),
        ("Ada",),
        "supply",
        EVENING,
        "s",
        "m",
        "r",
        "f",
        "0",
        None,
        2,
    )
    (line,) = lines_of(board_messages.records_message([record], EVENING))
    day = f"<t:{int(EVENING.timestamp())}:d>"
    assert plainly(line) == f"damage per minute **559.0** · Ada · supply · {day} · equalled 2×"
    attack = replace(record, kind=RecordKind.ATTACK, value=149.0, equalled=0, holders=("Ada", "Bob"))
    (line,) = lines_of(board_messages.records_message([attack], EVENING))
    assert plainly(line) == f"**supply** 2:29 · {day} · Ada, Bob"
    assert plainly(board_messages.titled_record_text(attack)).startswith("fastest attack **2:29** · Ada, Bob")
    (line,) = lines_of(board_messages.records_message([replace(attack, holders=())], EVENING))
    assert plainly(line) == f"**supply** 2:29 · {day}"
    denied = replace(record, kind=RecordKind.DENIED_PLAYTIME, value=398)
    assert "playtime denied **6:38**" in lines_of(board_messages.records_message([denied], EVENING))[0]
    assert set(KINDS) == set(RecordKind)


def test_a_personal_best_says_what_it_beat() -> None:
    night = NightBest("ADA00001", "Ada_", RecordKind.KILLS, "s", EVENING, 31)
    best = PersonalBest(night, replace(night, value=30), stood=12, nights_before=20)
    assert board_messages.personal_best_text(best) == r"**Ada\_** · kills **31**, best so far was 30 (12 nights ago)"


def test_revives_that_old_files_lack_are_told_with_the_rounds_that_know_them() -> None:
    career = replace(career_of("Ada", 2), progress=(Progress(Number.REVIVES_GIVEN, 80, None, 100, 12),))
    assert "revives: **80 in 12 rounds**" in lines_of(board_messages.player_message(career, EVENING))


def test_badges_and_the_way_to_the_next_are_told() -> None:
    career = replace(
        career_of("Ada", 2),
        progress=(
            Progress(Number.KILLS, 1234, 1000, 2500, 20),
            Progress(Number.REVIVES_GIVEN, 80, None, 100, 12),
            Progress(Number.KD, 1.26, 1, 1.5, 20),
        ),
    )
    lines = lines_of(board_messages.player_message(career, EVENING))
    assert {"1,000 kills", "K/D 1"} <= set(lines)
    assert {"1,234 of 2,500 kills", "80 of 100 revives, known of 12 of 20 rounds", "K/D 1.26, next 1.5"} <= set(lines)
