"""The stopwatch against what was played: as numbers, as metadata, and in one message of the dev channel."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slomix_pipeline.discord.channels import open_channels
from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.formats import gametimes
from slomix_pipeline.rules.things import Thing, ThingKind
from slomix_pipeline.rules.values import SIDE_NAMES
from slomix_pipeline.sensors.folders import GAMETIMES
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening, SimRound
from slomix_pipeline.simulator.writing import write_evening, write_round
from slomix_pipeline.stages.common import Wish
from slomix_pipeline.stages.outbox import TELLERS
from slomix_pipeline.warehouse import due
from slomix_pipeline_tests.kept import served_page
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key


@pytest.fixture
def dev(pipeline: Pipeline, tmp_path: Path) -> Iterator[StandIn]:
    """The dev channel, on a page of its own."""
    with served_page(tmp_path / "dev") as page:
        pipeline.dev = Discord(page.webhook_url)
        yield page


@pytest.fixture(scope="module")
def evening() -> Evening:
    """A surrender among its rounds."""
    return play_evening(44, maps=6, ends_at=just_now())


def texts(page: StandIn) -> list[str]:
    found = []
    for message in page.messages():
        (embed,) = message["embeds"]
        fields = [f"{field['name']} {field['value']}" for field in embed.get("fields", [])]
        found.append("\n".join([embed["title"], embed["description"], *fields]).replace("\\", ""))
    return found


def off_the_clock(evening: Evening) -> list[SimRound]:
    """Rounds whose stopwatch was more than 30 s from what was played."""
    shown = {r.stem: r.duration_seconds if r.attackers_won else r.limit_seconds for r in evening.rounds}
    return [r for r in evening.rounds if abs(shown[r.stem] - r.duration_seconds) > 30]


def test_only_rounds_that_are_not_aligned_are_told_and_only_there(
    pipeline: Pipeline, dev: StandIn, evening: Evening
) -> None:
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    assert [text.split(" · ")[0] for text in texts(dev)] == [r.map_name for r in off_the_clock(evening)] != []
    assert not any("DISCREPANCY" in text for text in texts(pipeline.page))


def test_a_surrender_is_told_with_both_clocks_who_gave_up_and_every_players_numbers(
    pipeline: Pipeline, dev: StandIn, evening: Evening
) -> None:
    (sim_round,) = off_the_clock(evening)[:1]
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    text = texts(dev)[0]
    assert f"The stopwatch showed **{sim_round.stats.header.attack_time}**" in text
    assert f"{SIDE_NAMES[sim_round.surrender_side]} gave up." in text
    for player in sim_round.players.values():
        assert f"→ {player.damage_given * 60 / player.seconds_played:.0f} ·" in text


def test_a_round_without_its_record_names_the_broken_link_and_is_edited_when_the_record_comes(
    pipeline: Pipeline, dev: StandIn
) -> None:
    sim_round = next(r for r in play_evening(16, maps=2, ends_at=just_now()).rounds if r.attackers_won)
    write_round(pipeline.folder, sim_round)
    (pipeline.folder / GAMETIMES / sim_round.timing_name).unlink()
    pipeline.take_in()
    (before,) = dev.messages()
    assert "NO LUA DATA" in texts(dev)[0] and "No timing record: **script not seen alive**" in texts(dev)[0]
    pipeline.put(sim_round.timing_name, gametimes.dump(sim_round.timing))
    pipeline.take_in(GAMETIMES)
    pipeline.work(pipeline.stale()[0], Wish.LIVE)
    (after,) = dev.messages()
    assert after["id"] == before["id"] and after["edited_timestamp"]
    assert "ALIGNED" in texts(dev)[0]


def test_what_is_imported_or_run_again_tells_the_dev_channel_nothing(
    pipeline: Pipeline, dev: StandIn, evening: Evening, tmp_path: Path
) -> None:
    write_evening(tmp_path / "archive", evening)
    pipeline.import_(tmp_path / "archive")
    pipeline.work(round_key(off_the_clock(evening)[0]))
    assert dev.messages() == []


def test_an_import_that_brings_the_record_corrects_what_the_dev_channel_was_told(
    pipeline: Pipeline, dev: StandIn, tmp_path: Path
) -> None:
    sim_round = next(r for r in play_evening(16, maps=2, ends_at=just_now()).rounds if r.attackers_won)
    write_round(pipeline.folder, sim_round)
    record = pipeline.folder / GAMETIMES / sim_round.timing_name
    archive = tmp_path / "archive"
    archive.mkdir()
    record.rename(archive / sim_round.timing_name)
    pipeline.take_in()
    assert "NO LUA DATA" in texts(dev)[0]
    assert pipeline.import_(archive).linked == 1
    assert "ALIGNED" in texts(dev)[0] and len(dev.messages()) == 1


def test_a_message_that_was_not_delivered_fails_its_check(pipeline: Pipeline, dev: StandIn) -> None:
    sim_round = play_evening(16, maps=1, ends_at=just_now()).rounds[0]
    pipeline.dev = Discord(dev.webhook_url.rsplit("/", 1)[0] + "/another-token")
    key = pipeline.put_stats(sim_round)
    pipeline.take_in()
    (row,) = pipeline.rows(
        "select passed from check_result where check_name = 'timing_told' and partition_key = %s", key
    )
    assert row["passed"] is False


def waiting(pipeline: Pipeline) -> list[str]:
    """What the outbox is to tell."""
    channels, now = open_channels(load_settings()), datetime.now(UTC)
    with pipeline.database.connect() as conn:
        told = [kind for kind in TELLERS if channels.of(kind)]
        return [one.thing for one in due.waiting(conn, told, now + timedelta(seconds=1), now)]


@pytest.mark.parametrize("webhook", ["https://discord.invalid/api/webhooks/1/x", ""])
def test_a_message_that_failed_is_not_asked_for_again_when_the_round_is_right_or_nobody_listens(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, webhook: str
) -> None:
    monkeypatch.setenv("SLOMIX_DISCORD_DEV_WEBHOOK", webhook)
    sim_round = next(r for r in play_evening(16, maps=2, ends_at=just_now()).rounds if r.attackers_won)
    key = pipeline.put_stats(sim_round)
    pipeline.take_in()
    with pipeline.database.transaction() as conn:
        thing = Thing(ThingKind.TIMING, key)
        conn.execute(
            "insert into post (thing, kind, partition_key, state) values (%s, %s, %s, 'failed')",
            [thing.name, thing.kind, key],
        )
        due.note(conn, thing, datetime.now(UTC) + timedelta(hours=6))
    assert waiting(pipeline) == ([thing.name] if webhook else [])
    pipeline.put(sim_round.timing_name, gametimes.dump(sim_round.timing))
    pipeline.take_in(GAMETIMES)
    pipeline.work(key)
    assert waiting(pipeline) == []


def test_the_comparison_is_read_from_views_and_never_scales_a_players_minutes(
    pipeline: Pipeline, evening: Evening
) -> None:
    write_evening(pipeline.folder, evening)
    pipeline.take_in_all()
    for sim_round in evening.rounds:
        (row,) = pipeline.rows("select * from round_timing_comparison where round_key = %s", round_key(sim_round))
        shown: Any = sim_round.stats.header.attack_seconds
        assert row["stopwatch_seconds"] == shown
        assert row["difference_seconds"] == abs(shown - sim_round.duration_seconds)
        assert row["correction"] == pytest.approx(sim_round.duration_seconds / shown)
        people = pipeline.rows("select * from player_timing_comparison where round_key = %s", round_key(sim_round))
        assert {p["guid"]: p["seconds_played"] for p in people} == {
            guid: player.seconds_played for guid, player in sim_round.players.items()
        }
        for row in people:
            player = sim_round.players[row["guid"]]
            assert row["stopwatch_dpm"] == pytest.approx(player.damage_given * 60 / shown)
            assert row["dpm"] == pytest.approx(player.damage_given * 60 / player.seconds_played)
