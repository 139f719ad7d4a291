"""What people decide of who is who: said wherever a player is named, corrected where it was told, and taken back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from slomix_pipeline.discord.client import Discord
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.rules.people import IdentityKind
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.warehouse import identities
from slomix_pipeline.warehouse.rework_causes import Cause
from slomix_pipeline.warehouse.session_facts import session_facts
from slomix_pipeline_tests.kept import served_page
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now

USER = "80351110224678912"


@pytest.fixture
def dev(pipeline: Pipeline, tmp_path: Path) -> Iterator[StandIn]:
    """The dev channel, on a page of its own."""
    with served_page(tmp_path / "dev") as page:
        pipeline.dev = Discord(page.webhook_url)
        yield page


@pytest.fixture
def evening(pipeline: Pipeline, dev: StandIn) -> Evening:
    """Two matches, of which everything was told: results, the summary, and that no round has a timing record."""
    played = play_evening(61, maps=2, ends_at=just_now())
    write_evening(pipeline.folder, played)
    for record in (pipeline.folder / "gametimes").iterdir():
        record.unlink()
    pipeline.take_in()
    pipeline.report_sessions()
    return played


def decided(pipeline: Pipeline, dev: StandIn, *arguments: str) -> str:
    done = pipeline.slomix(
        "identity", *arguments, "--why=he said so", "--by=ref", SLOMIX_DISCORD_DEV_WEBHOOK=dev.webhook_url
    )
    assert done.exit_code == 0, done.stderr
    return done.stdout


def refused(pipeline: Pipeline, *arguments: str) -> str:
    done = pipeline.slomix("identity", *arguments, "--why=he said so", "--by=ref")
    assert done.exit_code == 2, done.stdout
    return " ".join(done.stderr.split())


def text(message: dict[str, Any]) -> str:
    """Everything that a message shows, without the backslashes that escape it and what keeps names together."""
    return str(message).replace("\\xa0", " ").replace("\\", "")


def naming(page: StandIn, name: str) -> list[str]:
    """The titles of the messages of a channel that show a name."""
    return [message["embeds"][0]["title"] for message in page.messages() if name in text(message)]


def two_players(pipeline: Pipeline, evening: Evening) -> tuple[str, str]:
    """Two who were there in every round under one name, by GUID."""
    rows = pipeline.rows(
        "select guid from alias group by guid having count(*) = 1 and sum(rounds) = %s order by guid",
        len(evening.rounds),
    )
    return rows[0]["guid"], rows[1]["guid"]


def name_of(pipeline: Pipeline, guid: str) -> str:
    (row,) = pipeline.rows("select name from player_name where guid = %s", guid)
    return str(row["name"])


def test_a_chosen_name_stands_in_every_message_that_named_him_and_is_taken_back(
    pipeline: Pipeline, dev: StandIn, evening: Evening
) -> None:
    guid, _ = two_players(pipeline, evening)
    name = name_of(pipeline, guid)
    before = naming(pipeline.page, name), naming(dev, name)
    assert len(before[0]) == 3 and len(before[1]) == 4  # two results and the summary; a comparison per round
    messages = len(pipeline.page.messages())
    said = decided(pipeline, dev, "link", guid, USER, "--name=^1The Countess")
    assert f"{guid} ({name}) is Discord user {USER}, called The Countess" in said
    assert (naming(pipeline.page, "The Countess"), naming(dev, "The Countess")) == before
    assert (naming(pipeline.page, name), naming(dev, name)) == ([], [])
    assert len(pipeline.page.messages()) == messages
    assert not any("Corrected" in text(message) for message in pipeline.page.messages())  # the result is the same
    decided(pipeline, dev, "revoke", "1")
    assert (naming(pipeline.page, name), naming(dev, name)) == before
    assert pipeline.stale() == [] and pipeline.report_sessions() == []


def test_who_wished_to_be_hidden_is_named_nowhere_and_his_numbers_stay(
    pipeline: Pipeline, dev: StandIn, evening: Evening
) -> None:
    guid, _ = two_players(pipeline, evening)
    name, exported = name_of(pipeline, guid), pipeline.export()
    decided(pipeline, dev, "link", guid, USER, "--name=The Countess")
    said = decided(pipeline, dev, "hide", guid)
    shown = said.partition("is shown as ")[2].partition(".")[0]
    assert shown.startswith("Player ") and len(naming(pipeline.page, shown)) == 3
    everywhere = str([text(message) for page in (pipeline.page, dev) for message in page.messages()])
    assert name not in everywhere and "The Countess" not in everywhere and guid not in everywhere
    report = pipeline.slomix("explain", "--session", "latest").stdout
    assert shown in report and name not in report
    with pipeline.database.snapshot() as conn:  # what pictures are drawn from
        facts = session_facts(conn, pipeline.export()["session"]["key"])
    assert facts is not None and shown in str(facts.players) and name not in str(facts.players)
    assert pipeline.export() == exported  # the game's own names: a contract
    assert "he is hidden already" in refused(pipeline, "hide", guid)


def test_a_decision_about_his_team_names_him_as_he_is_to_be_named(
    pipeline: Pipeline, dev: StandIn, evening: Evening
) -> None:
    guid, _ = two_players(pipeline, evening)
    assert pipeline.slomix("override", "team", "latest", guid, "A", "--why=seen", "--by=ref").exit_code == 0
    pipeline.report_sessions()
    name = name_of(pipeline, guid)
    decided(pipeline, dev, "hide", guid)
    assert name not in text(pipeline.page.messages()[-1])
    assert "Decided by people" in text(pipeline.page.messages()[-1])


def test_a_name_that_somebody_typed_into_a_decision_is_not_shown_once_its_player_is_hidden(
    pipeline: Pipeline, dev: StandIn, evening: Evening
) -> None:
    guid, _ = two_players(pipeline, evening)
    name = name_of(pipeline, guid)
    first = evening.rounds[0].stem
    why = f"--why=^1{name.upper()} left, and {guid} is his GUID"
    assert pipeline.slomix("override", "winner", f"main:{first}", "B", why, f"--by={name}").exit_code == 0
    pipeline.report_sessions()
    assert len(naming(pipeline.page, f"{name.upper()} left")) == 2
    decided(pipeline, dev, "hide", guid)
    everywhere = str([text(message) for page in (pipeline.page, dev) for message in page.messages()])
    assert "by a hidden player: ^1a hidden player left, and a hidden player is his GUID" in everywhere
    report = pipeline.slomix("explain", "--session", "latest").stdout
    assert "a hidden player left" in report
    for shown in (everywhere, report):
        assert name.lower() not in shown.lower() and guid not in shown


def test_what_contradicts_a_decision_is_refused_and_said(pipeline: Pipeline, dev: StandIn, evening: Evening) -> None:
    guid, mate = two_players(pipeline, evening)
    assert "both played in main:" in refused(pipeline, "merge", guid, mate)
    assert "nobody played under the GUID" in refused(pipeline, "merge", guid, "00000000")
    decided(pipeline, dev, "link", guid, USER)
    assert f"linked to {guid}" in refused(pipeline, "link", mate, USER)
    assert "no id of a Discord user" in refused(pipeline, "link", mate, "@everyone")
    assert "2 to 32 characters" in refused(pipeline, "link", mate, USER[::-1], "--name=x")
    assert "nobody" not in decided(pipeline, dev, "reject", mate.lower(), guid)
    assert "no decision 9 in force" in refused(pipeline, "revoke", "9")
    assert len(pipeline.rows("select from identity_decision")) == 2


def test_a_merge_is_listed_with_who_decided_it_and_why_also_after_it_was_taken_back(
    pipeline: Pipeline, dev: StandIn, evening: Evening
) -> None:
    guid, mate = two_players(pipeline, evening)
    with pipeline.database.transaction() as conn:  # as if they had never met
        merged = identities.add(conn, IdentityKind.MERGE, guid, other_guid=mate, reason="a new PC", made_by="ref")
    assert f"is the same person as {mate}" in pipeline.slomix("identity", "list").stdout
    with pipeline.database.transaction() as conn:
        identities.revoke(conn, merged, reason="a mistake", revoked_by="judge")
    assert "Nobody decided" in pipeline.slomix("identity", "list").stdout
    listed = pipeline.slomix("identity", "list", "--all").stdout
    assert "a new PC" in listed and "by judge: a mistake" in listed


def test_what_a_killed_command_left_untold_is_compared_by_the_sensors(
    pipeline: Pipeline, dev: StandIn, evening: Evening
) -> None:
    guid, _ = two_players(pipeline, evening)
    name = name_of(pipeline, guid)
    with pipeline.database.transaction() as conn:
        identities.add(conn, IdentityKind.HIDE, guid, name="Player 3F2A", reason="his wish", made_by="ref")
        identities.note_called_otherwise(conn, [guid])
    causes = pipeline.causes()
    assert {cause for found in causes.values() for cause in found} == {Cause.NOT_COMPARED, Cause.RUN_ENDED_EARLY}
    pipeline.work(list(causes))
    assert len(pipeline.report_sessions()) == 1
    assert naming(pipeline.page, name) == naming(dev, name) == []
    assert pipeline.stale() == []


def test_a_decision_waits_for_who_is_telling_of_the_player_by_his_old_name(
    pipeline: Pipeline, dev: StandIn, evening: Evening
) -> None:
    guid, _ = two_players(pipeline, evening)
    with ThreadPoolExecutor(1) as pool:
        with pipeline.database.hold("telling main"):
            deciding = pool.submit(decided, pipeline, dev, "hide", guid)
            with pytest.raises(TimeoutError):
                deciding.result(timeout=1)
            assert pipeline.rows("select from identity_decision") == []
        deciding.result(timeout=60)
    assert naming(pipeline.page, name_of(pipeline, guid)) == []


def test_of_sessions_that_were_never_told_nothing_is_told(pipeline: Pipeline, dev: StandIn, tmp_path: Path) -> None:
    write_evening(tmp_path / "archive", play_evening(61, maps=1))
    pipeline.import_(tmp_path / "archive")
    (row,) = pipeline.rows("select min(guid) as guid from session_player")
    decided(pipeline, dev, "hide", row["guid"])
    assert pipeline.page.messages() == dev.messages() == []
    assert pipeline.stale() == []
