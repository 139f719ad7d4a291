"""What is said on Discord: once, to whom it should be, corrected later, and always within the limits."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from slomix_pipeline.discord import messages
from slomix_pipeline.discord.client import Discord, Sent
from slomix_pipeline.discord.embeds import BLANK, Embed, Message, escape, violations
from slomix_pipeline.discord.ledger import tell
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.formats import gamestats
from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.rules.grades import Grade
from slomix_pipeline.rules.overrides import OverrideKind
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.team_names import NameSource, TeamName
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.rules.things import Thing, ThingKind, ToldAs
from slomix_pipeline.rules.timing import LengthFrom, TimingStatus
from slomix_pipeline.rules.values import Status
from slomix_pipeline.simulator.evening import place, play_evening
from slomix_pipeline.simulator.matches import Shape
from slomix_pipeline.simulator.values import Evening, SimMatch, SimRound
from slomix_pipeline.simulator.writing import write_evening, write_round
from slomix_pipeline.stages.common import Wish
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.overrides import DecisionSeen
from slomix_pipeline.warehouse.reading import MatchSeen, PlayerTotals, RoundSeen, SessionScore
from slomix_pipeline_tests.building import make_header
from slomix_pipeline_tests.pipeline_fixtures import SERVER, Pipeline, just_now, round_key, served_page

CLANS = {"A": "fox (A)", "B": "owl (B)"}  # of the simulator's players


def states(database: Database) -> list[str]:
    """What the ledger says of everything told."""
    with database.connect() as conn:
        return [row["state"] for row in conn.execute("select state from post order by thing")]


THING = Thing(ThingKind.RESULT, "main:x-round-2")
PATH = "/api/webhooks/123/SECRETsecretSECRET-secret_1"


def said(text: str) -> Message:
    return Message(embeds=(Embed(text),))


MAX_AGE = timedelta(hours=6)


def outcome(database: Database, discord: Discord, text: str, announce: bool = True) -> str:
    return tell(database, discord, THING, said(text), announce=announce, max_age=MAX_AGE).outcome


def texts(page: StandIn) -> list[str]:
    return [message["embeds"][0]["title"] for message in page.messages()]


# --- the ledger ---


@pytest.fixture
def page(tmp_path: Path) -> Any:
    with served_page(tmp_path / "page") as running:
        yield running


@pytest.fixture
def discord(page: StandIn) -> Discord:
    return Discord(page.webhook_url)


@pytest.fixture
def failing(httpserver: HTTPServer) -> Discord:
    """A Discord that answers as the test says."""
    return Discord(httpserver.url_for(PATH), sleep=lambda _: None)


def test_a_thing_is_said_once_and_edited_only_when_it_changes(
    database: Database, discord: Discord, page: StandIn
) -> None:
    assert outcome(database, discord, "first") == "sent"
    assert outcome(database, discord, "first") == "unchanged"
    assert page.messages()[0]["edited_timestamp"] is None
    assert outcome(database, discord, "second") == "edited"
    assert outcome(database, discord, "second", announce=False) == "unchanged"
    assert outcome(database, discord, "third", announce=False) == "edited"
    assert texts(page) == ["third"]


def test_what_may_not_be_announced_is_not_said_but_what_was_said_is_corrected(
    database: Database, discord: Discord, page: StandIn
) -> None:
    assert outcome(database, discord, "first", announce=False) == "silent"
    assert states(database) == []
    assert texts(page) == []


def test_many_tellers_at_once_say_it_once(database: Database, page: StandIn) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(6)

    def teller() -> None:
        start.wait()
        outcomes.append(outcome(database, Discord(page.webhook_url), "news"))

    threads = [threading.Thread(target=teller) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["sent"] + ["unchanged"] * 5
    assert texts(page) == ["news"]


class _Dies:
    """A Discord whose caller's process ends while it sends; before or after the message went out."""

    def __init__(self, page: Discord | None) -> None:
        self.page = page

    def send(self, message: Message) -> Sent:
        if self.page:
            self.page.send(message)
        raise KeyboardInterrupt


@pytest.mark.parametrize("went_out", [False, True])
def test_after_a_crash_while_sending_nothing_is_said_twice(
    database: Database, discord: Discord, page: StandIn, went_out: bool
) -> None:
    with pytest.raises(KeyboardInterrupt):
        tell(database, _Dies(discord if went_out else None), THING, said("news"), announce=True, max_age=MAX_AGE)  # type: ignore[arg-type]
    for _ in range(2):
        told = tell(database, discord, THING, said("news"), announce=True, max_age=MAX_AGE)
        assert (told.outcome, told.outcome.is_trouble) == (ToldAs.IN_DOUBT, True)
        assert "ended before it knew" in told.detail
    assert len(texts(page)) == went_out
    assert states(database) == ["in_doubt"]


def test_what_surely_was_not_sent_is_sent_later(
    database: Database, discord: Discord, page: StandIn, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_json({"message": "Unknown Webhook", "code": 10015}, 404)
    told = tell(database, failing, THING, said("news"), announce=True, max_age=MAX_AGE)
    assert (told.outcome, told.outcome.is_trouble, told.outcome.stands) == (ToldAs.REFUSED, True, False)
    assert "SLOMIX_DISCORD_WEBHOOK" in told.detail and "SECRET" not in told.detail
    assert states(database) == ["refused"]
    assert outcome(database, discord, "news", announce=False) == "silent"
    assert outcome(database, discord, "news") == "sent"
    assert texts(page) == ["news"]


def test_what_may_have_been_sent_is_never_sent_again(
    database: Database, discord: Discord, page: StandIn, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_data("", 500)
    assert outcome(database, failing, "news") == "in_doubt"
    assert outcome(database, discord, "news") == "in_doubt"
    assert outcome(database, discord, "other news") == "in_doubt"
    assert texts(page) == []


def test_a_message_that_somebody_deleted_is_not_said_again(
    database: Database, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH, method="POST").respond_with_json({"id": "777"})
    httpserver.expect_request(f"{PATH}/messages/777").respond_with_json({"code": 10008}, 404)
    assert outcome(database, failing, "news") == "sent"
    told = tell(database, failing, THING, said("other"), announce=True, max_age=MAX_AGE)
    assert told.outcome == "unchanged" and "deleted" in told.detail
    assert [request.method for request, _ in httpserver.log] == ["POST", "PATCH"]


def test_an_edit_that_failed_is_made_by_the_next_one_who_looks(
    database: Database, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_ordered_request(PATH, method="POST").respond_with_json({"id": "777"})
    httpserver.expect_ordered_request(f"{PATH}/messages/777").respond_with_data("", 403)
    assert outcome(database, failing, "news") == "sent"
    assert outcome(database, failing, "other") == "uncorrected"
    httpserver.expect_ordered_request(f"{PATH}/messages/777").respond_with_json({"id": "777"})
    assert outcome(database, failing, "other", announce=False) == "edited"
    assert outcome(database, failing, "other", announce=False) == "unchanged"


# --- who may announce ---


def seen(ago: timedelta = timedelta(minutes=1), by_sensor: bool = True, **header: Any) -> RoundSeen:
    return RoundSeen(
        "main:a",
        make_header(**header),
        datetime.now(UTC) - ago,
        300.0,
        LengthFrom.ATTACK_TIME,
        TimingStatus.ALIGNED,
        "main:record",
        None,
        by_sensor,
        None,
    )


@pytest.mark.parametrize(
    ("wish", "hours", "by_sensor", "announced"),
    [
        (Wish.LIVE, 1, True, True),
        (Wish.LIVE, 7, True, False),
        (Wish.LIVE, 1, False, False),
        (None, 1, True, False),
        (Wish.ASKED, 7000, False, True),
    ],
)
def test_fresh_rounds_of_a_sensor_are_announced_and_all_others_when_asked(
    pipeline: Pipeline, tmp_path: Path, wish: str | None, hours: int, by_sensor: bool, announced: bool
) -> None:
    evening = play_evening(54, maps=1, ends_at=just_now() - timedelta(hours=hours))
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    with pipeline.database.transaction() as conn:
        conn.execute("update file set by_sensor = %s", [by_sensor])
    pipeline.work([round_key(r) for r in evening.rounds], wish)
    assert len(pipeline.page.messages()) == announced


def test_a_run_whose_wish_is_nonsense_announces_nothing(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(54, maps=1, ends_at=just_now() - timedelta(hours=1))
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    with pipeline.database.transaction() as conn:
        conn.execute("update file set by_sensor = true")
    assert pipeline.run([round_key(r) for r in evening.rounds], "nonsense").success
    assert pipeline.page.messages() == []


def live(pipeline: Pipeline, *rounds: SimRound) -> None:
    """The rounds arrive one after the other, and each is run as it comes."""
    for sim_round in rounds:
        write_round(pipeline.folder, sim_round)
        pipeline.take_in_all()


def ending(matches: Sequence[SimMatch], evening: Evening) -> str:
    """The score line after these matches."""
    a, b, draws = (sum(m.winner == w for m in matches) for w in ("A", "B", "draw"))
    rest = f" ({draws} draw{'s' if draws > 1 else ''})" if draws else ""
    return f"Score so far: {CLANS['A']} {a} – {b} {CLANS['B']}{rest}"


def test_a_live_evening_is_told_match_by_match(pipeline: Pipeline) -> None:
    evening = play_evening(51, maps=["supply", "te_escape2", "te_escape2"], ends_at=just_now())
    for n, match in enumerate(evening.matches):
        name = escape(match.map_name)
        live(pipeline, match.r1)
        last = pipeline.page.messages()[-1]
        assert last["embeds"][0]["title"] == f"{name} · round 1"
        assert last["edited_timestamp"] is None
        assert len(pipeline.page.messages()) == 2 * n + 1
        live(pipeline, match.r2)
        pointer, result = pipeline.page.messages()[-2:]
        verdict = "draw" if match.winner == "draw" else f"{CLANS[match.winner]} wins"
        assert result["embeds"][0]["title"] == f"{name} · {verdict}"
        assert ending(evening.matches[: n + 1], evening) in result["embeds"][0]["description"]
        assert (pointer["embeds"][0]["title"], pointer["id"]) == (f"{name} · round 1", last["id"])
        assert "The result stands below" in pointer["embeds"][0]["description"]
        assert "fields" not in pointer["embeds"][0]
    assert len(pipeline.page.messages()) == 6


def test_the_result_shows_every_player_in_his_team(pipeline: Pipeline) -> None:
    evening = play_evening(52, maps=["supply"], players_per_team=6, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    message = pipeline.page.messages()[-1]
    fields = {field["name"]: field["value"].splitlines() for field in message["embeds"][0]["fields"]}
    guids = {CLANS["A"]: evening.team_a, CLANS["B"]: evening.team_b}
    for team, lines in fields.items():
        played = [[r.players[g] for r in evening.rounds if g in r.players] for g in guids[team]]
        totals = {f"{sum(p.kills for p in ps)}/{sum(p.deaths for p in ps)}" for ps in played if ps}
        assert {line.split(" · ")[1] for line in lines} == totals
        assert len(lines) == sum(bool(ps) for ps in played)


def test_rounds_that_ended_long_ago_are_not_announced(pipeline: Pipeline) -> None:
    write_evening(pipeline.folder, play_evening(53, maps=1, ends_at=just_now() - timedelta(hours=7)))
    pipeline.take_in_all()
    assert len(pipeline.rows("select * from match where winner is not null")) == 1
    assert pipeline.page.messages() == []


def test_reruns_and_imports_say_nothing_new(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(54, maps=1, ends_at=just_now())
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    keys = [round_key(r) for r in evening.rounds]
    pipeline.work(keys)
    pipeline.work(keys, Wish.LIVE)  # a sensor's rework of what no sensor asked for
    assert pipeline.page.messages() == []
    pipeline.work(keys, Wish.ASKED)
    assert len(pipeline.page.messages()) == 1


def test_an_import_that_is_asked_to_publishes_results_and_summary(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(55, maps=2, ends_at=just_now() - timedelta(days=400))
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive", publish=Wish.ASKED)
    assert len(pipeline.page.messages()) == 3
    pipeline.import_(tmp_path / "archive", publish=Wish.ASKED)
    assert len(pipeline.page.messages()) == 3


def test_a_fresh_round_is_announced_after_a_restart_too(pipeline: Pipeline) -> None:
    """Its run ended before it came to the message."""
    sim_round = play_evening(56, maps=1, ends_at=just_now()).rounds[0]
    channel, pipeline.discord = pipeline.discord, None
    live(pipeline, sim_round)
    assert pipeline.page.messages() == []
    pipeline.discord = channel
    pipeline.work(round_key(sim_round), Wish.LIVE)
    assert len(pipeline.page.messages()) == 1


def test_an_undelivered_message_is_reworked(pipeline: Pipeline, failing: Discord, httpserver: HTTPServer) -> None:
    sim_round = play_evening(56, maps=1, ends_at=just_now()).rounds[0]
    channel, pipeline.discord = pipeline.discord, failing
    httpserver.expect_request(PATH).respond_with_json({"retry_after": 999}, 429, {"Via": "1.1 test"})
    live(pipeline, sim_round)
    (check,) = pipeline.rows("select * from check_result where check_name = 'told_once'")
    assert not check["passed"]
    assert check["metadata"][f"round1:{round_key(sim_round)}"].startswith("failed")
    assert pipeline.stale() == [round_key(sim_round)]
    pipeline.discord = channel
    pipeline.work(round_key(sim_round), Wish.LIVE)
    assert len(pipeline.page.messages()) == 1
    assert pipeline.stale() == []


def test_a_correction_that_did_not_get_through_is_reworked(pipeline: Pipeline, httpserver: HTTPServer) -> None:
    evening = play_evening(57, maps=1, ends_at=just_now())
    live(pipeline, *evening.rounds)
    message = pipeline.page.messages()[1]
    same_webhook = f"/api/webhooks/{message['webhook_id']}/{'x' * 20}"
    channel, pipeline.discord = pipeline.discord, Discord(httpserver.url_for(same_webhook))
    httpserver.expect_request(f"{same_webhook}/messages/{message['id']}").respond_with_data("", 403)
    correct(pipeline, evening.rounds[1])
    assert pipeline.stale() == [round_key(evening.rounds[1])]
    pipeline.discord = channel
    pipeline.work(pipeline.stale()[0], Wish.LIVE)
    assert pipeline.stale() == []
    assert pipeline.page.messages()[1]["edited_timestamp"] is not None


def correct(pipeline: Pipeline, sim_round: SimRound) -> None:
    """The round's file is replaced by one without its last player."""
    fewer = replace(sim_round.stats, players=sim_round.stats.players[:-1])
    pipeline.put(sim_round.stats_name, gamestats.dump(fewer))
    pipeline.take_in()


def test_a_correction_edits_what_was_said(pipeline: Pipeline) -> None:
    evening = play_evening(57, maps=2, ends_at=just_now())
    live(pipeline, *evening.rounds)
    before = pipeline.page.messages()
    correct(pipeline, evening.rounds[1])
    after = pipeline.page.messages()
    changed = [b["id"] for b, a in zip(before, after, strict=True) if a["embeds"] != b["embeds"]]
    assert changed == [before[1]["id"]]  # the first match's result; everything else still holds


def test_a_late_result_corrects_the_scores_told_after_it(pipeline: Pipeline) -> None:
    evening = play_evening(58, maps=2, ends_at=just_now())
    first, second = evening.matches
    live(pipeline, first.r1, second.r1, second.r2, first.r2)
    results = [m["embeds"][0] for m in pipeline.page.messages() if "round 1" not in m["embeds"][0]["title"]]
    lines = {embed["title"].split(" · ")[0]: embed["description"] for embed in results}
    assert ending([first], evening) in lines[escape(first.map_name)]
    assert ending([first, second], evening) in lines[escape(second.map_name)]


def test_a_round_two_without_its_round_one_says_nothing_until_it_comes(pipeline: Pipeline) -> None:
    match = play_evening(59, maps=1, ends_at=just_now()).matches[0]
    live(pipeline, match.r2)
    assert pipeline.page.messages() == []
    live(pipeline, match.r1)
    assert len(pipeline.page.messages()) == 1
    assert "round 1" not in pipeline.titles()[0]


def test_without_a_webhook_everything_else_works(pipeline: Pipeline) -> None:
    pipeline.discord = None
    evening = play_evening(59, maps=1, ends_at=just_now())
    live(pipeline, *evening.rounds)
    assert len(pipeline.export()["matches"]) == 1
    assert pipeline.rows("select * from post") == []


# --- sessions ---


def test_a_session_is_told_when_it_is_over_and_again_when_it_changed(pipeline: Pipeline) -> None:
    evening = play_evening(60, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    (pipeline.folder / "gamestats" / evening.rounds[3].stats_name).unlink()
    pipeline.take_in_all()
    with pipeline.database.transaction() as conn:
        from slomix_pipeline.warehouse.session_reports import sessions_to_report

        early = datetime.now(UTC) - timedelta(minutes=1)
        assert sessions_to_report(conn, early, 9) == []  # its files came just now
    key = f"{SERVER}:{evening.rounds[0].stem[:17]}"
    assert pipeline.report_sessions() == [key]
    summary = pipeline.page.messages()[-1]
    assert summary["embeds"][0]["title"] == title_of(evening.matches[:1])
    assert pipeline.report_sessions() == []
    pipeline.put_stats(evening.rounds[3])
    pipeline.take_in()
    assert pipeline.report_sessions() == [key]
    again = [m for m in pipeline.page.messages() if m["id"] == summary["id"]]
    assert again[0]["embeds"][0]["title"] == title_of(evening.matches)
    assert pipeline.report_sessions() == []
    assert sum("wins " in t or "Draw " in t for t in pipeline.titles()) == 1


def title_of(matches: Sequence[SimMatch]) -> str:
    a, b = (sum(m.winner == w for m in matches) for w in "AB")
    return f"{'Draw' if a == b else CLANS['A' if a > b else 'B'] + ' wins'} {max(a, b)}–{min(a, b)}"


def test_summaries_of_merged_sessions_become_one_and_a_pointer(pipeline: Pipeline) -> None:
    late = play_evening(61, maps=1, ends_at=just_now())
    early = place(play_evening(62, maps=1), late.rounds[0].stamp - timedelta(minutes=100), UTC)
    middle = place(play_evening(63, maps=["braundorf_b4"]), late.rounds[0].stamp - timedelta(minutes=50), UTC)
    for evening in (early, late):
        write_evening(pipeline.folder, evening)
    pipeline.take_in()
    keys = [f"{SERVER}:{evening.rounds[0].stem[:17]}" for evening in (early, late)]
    assert sorted(pipeline.report_sessions()) == keys
    told = len(pipeline.page.messages())
    write_evening(pipeline.folder, middle)
    pipeline.take_in()
    assert pipeline.report_sessions() == keys[:1]
    assert len(pipeline.page.messages()) == told + 2  # the match in the middle; no second summary
    pointers = [m for m in pipeline.page.messages() if m["embeds"][0]["title"] == "Part of another session"]
    assert len(pointers) == 1
    assert escape(keys[0]) in pointers[0]["embeds"][0]["description"]


def test_an_imported_session_is_reported_without_a_word(pipeline: Pipeline, tmp_path: Path) -> None:
    evening = play_evening(64, maps=1, ends_at=just_now())
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    assert len(pipeline.report_sessions()) == 1
    assert pipeline.page.messages() == []
    assert len(pipeline.rows("select * from session_report")) == 1


# --- words ---


def match_of(first: RoundSeen | None, second: RoundSeen | None = None, **values: Any) -> MatchSeen:
    seen_match = MatchSeen(
        key="main:2031-05-06-200000-supply-round-1",
        session_key="main:2031-05-06-200000",
        position=1,
        map_name="supply",
        status=Status.COMPLETE if second else Status.R1_ONLY,
        winner=Winner.B if second else None,
        source=Source.HEADER if second else None,
        reason="R2's attackers were faster",
        attackers_first=Team.A,
        policy="map-wins/1",
        first=first,
        second=second,
        players=(),
        score_a=0,
        score_b=1,
        draws=0,
    )
    return replace(seen_match, **values)


def text_of(message: Message) -> str:
    return f"{message.embeds[0].title}\n{message.embeds[0].description}"


BEATEN: dict[str, Any] = {"winner": 2, "limit": "12:00", "attack_time": "8:00"}
HELD: dict[str, Any] = {"winner": 1, "limit": "8:00", "attack_time": "8:00"}


def test_a_beaten_round_one_says_what_round_two_has_to_beat() -> None:
    text = text_of(messages.round_one_message(match_of(seen(**BEATEN))))
    assert "Team A completed it in **8:00**" in text and "has to beat **8:00**" in text


def test_a_held_round_one_says_that_any_completed_attack_wins() -> None:
    held = replace(seen(**HELD), duration_seconds=479.0, duration_source=LengthFrom.MEASURED)
    text = text_of(messages.round_one_message(match_of(held)))
    assert "Team A did not make it in **8:00**" in text and "any completed attack" in text


def test_a_round_one_that_ended_early_without_a_known_reason_was_not_held_to_its_limit() -> None:
    text = text_of(messages.round_one_message(match_of(replace(seen(**HELD), duration_source=LengthFrom.MEASURED))))
    assert "Team A did not make it: it ended after **5:00** of 8:00" in text


def test_a_time_that_is_not_known_is_said_in_words() -> None:
    unknown = replace(seen(**BEATEN | {"attack_time": "0:00"}), duration_source=LengthFrom.LIMIT)
    text = text_of(messages.round_one_message(match_of(unknown)))
    assert "Team A completed it in an unknown time" in text and "its time, which is not known" in text
    text = text_of(messages.round_one_message(match_of(seen(**HELD | {"limit": "0:00", "attack_time": "0:00"}))))
    assert "Team A did not make it\n" in text


@pytest.mark.parametrize("shown", ["75:25", "0:00"])
@pytest.mark.parametrize("winner", [0, 1, 2])
def test_what_is_no_time_is_never_told(shown: str, winner: int) -> None:
    odd = replace(seen(winner=winner, limit="8:00", attack_time=shown), duration_source=LengthFrom.MEASURED)
    match = match_of(seen(**BEATEN), odd)
    text = text_of(messages.result_message(match)) + text_of(messages.session_message(SESSION, [match], [], FINE))
    assert shown not in text
    assert ("completed it in **5:00**" in text) == (winner == 2)  # how long the round was
    unknown = replace(odd, duration_source=LengthFrom.LIMIT)
    text = text_of(messages.result_message(match_of(seen(**BEATEN), unknown)))
    assert ("completed it in an unknown time" in text) == (winner == 2) and "?" not in text


def test_of_a_round_that_was_broken_off_the_summary_says_only_that() -> None:
    cut = match_of(None, seen(**HELD), status="aborted", winner=None, source=None, reason="left before its end")
    text = text_of(messages.session_message(SESSION, [cut], [], FINE))
    embed = messages.session_message(SESSION, [cut], [], FINE).embeds[0]
    told = text + "".join(field.value for field in embed.fields)
    assert "not counted" in told and "broken off · left before its end" in told and "held" not in told


def test_attackers_who_gave_up_are_said_to_have_given_up() -> None:
    gave_up = replace(seen(**HELD), surrender_side=2, duration_seconds=200.4)
    text = text_of(messages.result_message(match_of(seen(**BEATEN), gave_up, winner=Winner.A)))
    assert "Team B gave up after **3:20** of 8:00" in text
    assert "Team A wins" in text


def test_defenders_who_gave_up_are_said_to_have_given_up() -> None:
    text = text_of(messages.round_one_message(match_of(replace(seen(**BEATEN), surrender_side=1))))
    assert "Team A completed it in **8:00**, the defenders gave up" in text


def test_the_footer_tells_how_many_rounds_have_lua_timing() -> None:
    timed, untimed = seen(**BEATEN), replace(seen(**HELD), record_key=None)
    (embed,) = messages.result_message(match_of(timed, untimed, winner=Winner.A)).embeds
    assert "Lua timing 1/2" in embed.footer


def test_a_draw_is_called_a_draw() -> None:
    text = text_of(
        messages.result_message(match_of(seen(**HELD), seen(**HELD), winner=Winner.DRAW, score_b=0, draws=1))
    )
    assert "supply · draw" in text and "Team A 0 – 0 Team B (1 draw)" in text


def test_a_match_that_does_not_count_says_why() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD), winner=None, source=None, reason="bots took part")
    text = text_of(messages.result_message(match))
    assert "not counted" in text and "Not counted: bots took part" in text


def test_a_round_whose_numbers_are_left_out_is_named_where_its_result_stands() -> None:
    odd = replace(seen(**BEATEN), left_out="counters carried over from an earlier play of the map")
    match = match_of(odd, seen(**HELD))
    text = text_of(messages.result_message(match))
    assert "-# Without the numbers of round 1: counters carried over" in text
    session = replace(SESSION, points_a=0, points_b=1, draws=0, not_counted=0, matches=1, rounds=2)
    assert "without the numbers of 1 round:" in text_of(messages.session_message(session, [match], [], FINE))


def test_players_without_identity_are_named_as_such_and_escaped() -> None:
    match = replace(match_of(seen(**BEATEN), seen(**HELD)), without_identity=("", "*no*key", *"abcdef"))
    text = text_of(messages.result_message(match))
    assert r"in no team and in no total: ?, \*no\*key, a, b, c, d and 2 more" in text


def test_a_summary_tells_its_grade_with_reasons_and_what_people_decided() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD))
    text = text_of(messages.session_message(SESSION, [match], [], POOR, [DECISION])).replace("\\", "")
    assert "Trust grade **C**: bots in 1 round, which don't count; Lua timing of 1 of 2 rounds only" in text
    assert "Decided by people: winner supply: B, by ref: seen on the demo" in text


def test_a_session_in_which_no_match_counts_is_no_draw() -> None:
    nothing = replace(SESSION, points_a=0, points_b=0, draws=0, not_counted=10)
    (embed,) = messages.session_message(nothing, [], [], FINE).embeds
    assert embed.title == "No match counts"


def test_a_session_whose_points_are_not_all_known_has_no_winner() -> None:
    (embed,) = messages.session_message(replace(SESSION, without_points=1), [], [], FINE).embeds
    assert embed.title == "Open: 3–2 so far as points are known"


def test_a_result_that_a_person_decided_says_so() -> None:
    match = match_of(seen(**BEATEN), seen(**HELD), source="override", reason="decided by ref: seen on the demo")
    (embed,) = messages.result_message(match).embeds
    assert "Not by the files: decided by ref: seen on the demo" in embed.description.replace("\\", "")
    assert "decided by a person" in embed.footer


def test_an_open_winner_is_not_made_up() -> None:
    text = text_of(messages.round_one_message(match_of(seen(winner=None), attackers_first=None)))
    assert "does not say who won" in text and "Team None" not in text


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "@everyone",
            "<@&123>",
            "*" * 40,
            "```",
            "[a](https://x.example)",
            "😀" * 40,
            "\u202egnp",
            "",
            " ",
            "\n\n",
            "a\u0301" * 80,
            "|" * 36,
            "_" * 36,
        ]
    ),
)
NUMBER = st.one_of(st.none(), st.integers(0, 99999))
RATIO = st.one_of(st.none(), st.floats(0, 99999))
PLAYER = st.builds(
    PlayerTotals,
    guid=st.just("ADA00001"),
    name=HOSTILE,
    team=st.sampled_from([*Team, None]),
    kills=NUMBER,
    deaths=NUMBER,
    kd=RATIO,
    dpm=RATIO,
    damage_given=NUMBER,
    damage_received=NUMBER,
    accuracy=RATIO,
    headshot_percent=RATIO,
)
HEADERS = st.builds(
    Header,
    server_name=HOSTILE,
    map_name=HOSTILE,
    config=HOSTILE,
    number=st.none(),
    defender_side=st.sampled_from([1, 2, None]),
    winner_side=st.sampled_from([0, 1, 2, None]),
    limit=st.one_of(HOSTILE, st.just("12:00")),
    attack_time=st.one_of(HOSTILE, st.just("*" * 5000), st.just("8:00")),
)
ROUNDS = st.builds(
    RoundSeen,
    st.just("main:x"),
    HEADERS,
    st.just(datetime(2031, 5, 6, tzinfo=UTC)),
    st.one_of(st.none(), st.floats(0, 9e5)),
    st.none(),
    st.just("ALIGNED"),
    st.sampled_from([True, False, None]),
    st.just(True),
    st.one_of(st.none(), HOSTILE),
)
MATCHES = st.builds(
    match_of,
    ROUNDS,
    ROUNDS,
    map_name=st.one_of(HOSTILE, st.sampled_from(["x" * 300, "_" * 5000, "a" + "\u0301" * 5000, "\u200b"])),
    winner=st.sampled_from([*Winner, None]),
    players=st.lists(PLAYER, max_size=40).map(tuple),
    attackers_first=st.sampled_from(["A", "B", None]),
    score_a=st.integers(0, 99),
    draws=st.integers(0, 99),
    teams=st.fixed_dictionaries(
        {team: st.builds(TeamName, st.just(team), HOSTILE, st.just(NameSource.KNOWN)) for team in "AB"}
    ),
)


def lines_of(message: Message) -> list[str]:
    return [line for field in message.embeds[0].fields for line in field.value.splitlines() if field.value != BLANK]


def shown_and_counted(message: Message) -> int:
    """Players in the teams' blocks: those with a line, and those only counted."""
    blocks = message.embeds[0].fields
    of_teams = (f.name == "Team open" or f.name.endswith((" (A)", " (B)", "Team A", "Team B")) for f in blocks)
    start = next((n for n, found in enumerate(of_teams) if found), len(blocks))
    lines = [line for f in blocks[start:] for line in f.value.splitlines()]
    more = [int(line.split()[2]) for line in lines if line.startswith("… and ")]
    return sum(" dmg · " in line and line.endswith(" % acc") for line in lines) + sum(more)


@given(MATCHES)
def test_every_message_of_a_match_fits_and_loses_nobody(match: MatchSeen) -> None:
    for make in (messages.round_one_message, messages.round_one_pointer, messages.result_message):
        message = make(match)
        assert violations(message) == []
    assert shown_and_counted(messages.result_message(match)) == len(match.players)


FINE = Grade("A", ())
POOR = Grade("C", ("bots in 1 round, which don't count", "Lua timing of 1 of 2 rounds only"))
DECISION = DecisionSeen(
    id=1,
    kind=OverrideKind.WINNER,
    server="main",
    round_key="main:2031-05-06-200000-supply-round-2",
    guid=None,
    value="B",
    roster=None,
    reason="seen on the demo",
    made_by="ref",
    made_at=datetime(2031, 5, 7, tzinfo=UTC),
    map="supply",
    player=None,
)
SESSION = SessionScore(
    session_key="main:2031-05-06-200000",
    server="main",
    started_at=datetime(2031, 5, 6, tzinfo=UTC),
    ended_at=datetime(2031, 5, 7, tzinfo=UTC),
    rounds=20,
    matches=10,
    won_a=3,
    won_b=2,
    draws=1,
    not_counted=4,
    policy="map-wins/1",
    points_a=3,
    points_b=2,
    without_points=0,
)


@given(st.lists(MATCHES, max_size=4), st.lists(PLAYER, max_size=40), st.integers(1, 12))
def test_every_summary_of_a_session_fits_and_loses_nobody(
    some: list[MatchSeen], players: list[PlayerTotals], times: int
) -> None:
    message = messages.session_message(SESSION, some * times, players, POOR, [DECISION] * 5)
    assert violations(message) == []
    assert shown_and_counted(message) == len(players)


def test_a_full_evening_of_two_teams_of_six_is_shown_whole() -> None:
    players = [
        PlayerTotals(
            guid=f"ADA{n:05}",
            name=f"^1some|long_name{n}^7",
            team=(Team.A, Team.B)[n % 2],
            kills=183,
            deaths=130,
            kd=1.4,
            dpm=283.6,
            damage_given=32585,
            damage_received=29255,
            accuracy=39.7,
            headshot_percent=12.0,
        )
        for n in range(12)
    ]
    matches = [match_of(seen(**BEATEN), seen(**HELD), map_name="sw_goldrush_te") for _ in range(12)]
    message = messages.session_message(SESSION, matches, players, FINE)
    assert not any("more" in line for line in lines_of(message))
    assert len(lines_of(message)) == 24


@pytest.mark.parametrize("shape", Shape)
def test_whatever_happens_in_a_match_both_rounds_are_told(
    pipeline: Pipeline, shape: Shape, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slomix_pipeline.simulator import evening as simulator

    monkeypatch.setattr(simulator, "_SHAPES", (shape,))
    write_evening(pipeline.folder, play_evening(66, maps=["supply"], ends_at=just_now()))
    pipeline.take_in_all()
    message = pipeline.page.messages()[-1]
    text = message["embeds"][0]["description"]
    expected: dict[Shape, Callable[[str], bool]] = {
        Shape.BEATEN: lambda t: t.count("completed it in") == 2,
        Shape.HELD: lambda t: t.count("completed it in") == 1 and "did not make it" in t,
        Shape.FULL_HOLD: lambda t: t.count("did not make it") == 1 and t.count("completed it in") == 1,
        Shape.SURRENDER: lambda t: "gave up after" in t,
        Shape.DOUBLE_HOLD: lambda t: t.count("did not make it") == 2 and "1 draw" in t,
    }
    assert expected[shape](text), text


def test_a_summary_that_did_not_get_through_is_told_later(
    pipeline: Pipeline, failing: Discord, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATH).respond_with_json({"retry_after": 999}, 429, {"Via": "1.1 test"})
    write_evening(pipeline.folder, play_evening(67, maps=1, ends_at=just_now()))
    pipeline.take_in_all()
    told = len(pipeline.page.messages())
    channel, pipeline.discord = pipeline.discord, failing
    (key,) = pipeline.report_sessions()
    pipeline.discord = channel
    assert pipeline.report_sessions() == [key]
    assert len(pipeline.page.messages()) == told + 1
    assert pipeline.report_sessions() == []
