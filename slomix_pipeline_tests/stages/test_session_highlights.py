"""What a summary tells beside its result stays true: late endstats and rounds from before it correct it, later ones
do not."""

from dataclasses import replace
from pathlib import Path

from slomix_pipeline.formats import gamestats
from slomix_pipeline.rules.people import IdentityKind
from slomix_pipeline.warehouse import identities
from slomix_pipeline_tests.pipeline_fixtures import Pipeline
from slomix_pipeline_tests.stages.endstats_steps import ADA, BOB, a_round, names, put_endstats, put_stats, rework


def played(pipeline: Pipeline, matches: int, hours: float = 0) -> None:
    """Ada and b|b. play so many matches, so many hours from their usual time."""
    for match in range(matches):
        for number in (1, 2):
            put_stats(pipeline, a_round(60 * hours + 20 * match + 8 * (number - 1), number))
    pipeline.take_in()


def summaries(pipeline: Pipeline) -> list[str]:
    """What stands in the summaries of sessions, oldest first."""
    texts = [str(message["embeds"]).replace("\\xa0", " ").replace("\\", "") for message in pipeline.page.messages()]
    return [text for text in texts if "Trust grade" in text]


def test_endstats_that_come_after_the_summary_bring_its_duel(pipeline: Pipeline) -> None:
    entries = [a_round(0, 1), a_round(8, 2)]
    for entry in entries:
        put_stats(pipeline, entry)
    pipeline.take_in()
    pipeline.report_sessions()
    assert "Duel" not in summaries(pipeline)[0]
    put_endstats(pipeline, entries[0])
    rework(pipeline)
    assert len(pipeline.report_sessions()) == 1
    (summary,) = summaries(pipeline)
    assert "Duels" in summary and "**Ada** 5 – 4 **b|b.**" in summary and "**b|b.** 4" not in summary
    assert pipeline.report_sessions() == []


def test_endstats_that_come_after_the_summary_bring_its_awards(pipeline: Pipeline) -> None:
    entries = [a_round(0, 1), a_round(8, 2)]
    for entry in entries:
        put_stats(pipeline, entry)
    put_endstats(pipeline, entries[0])
    pipeline.take_in()
    pipeline.report_sessions()
    (summary,) = summaries(pipeline)
    assert "Most damage given · **Ada** 1×" in summary
    assert "known of 1 of 2 rounds" in summary
    put_endstats(pipeline, entries[1])
    rework(pipeline)
    assert len(pipeline.report_sessions()) == 1
    (summary,) = summaries(pipeline)
    assert "Most damage given · **Ada** 2×" in summary and "known of" not in summary
    assert "playtime denied" not in summary  # whose that is nobody can tell
    assert pipeline.report_sessions() == []


def test_rounds_from_before_a_session_take_back_what_was_reached_in_it(pipeline: Pipeline) -> None:
    played(pipeline, matches=5)
    pipeline.report_sessions()
    assert "**Ada** · 10 rounds" in summaries(pipeline)[0]
    played(pipeline, matches=5, hours=-20)
    assert len(pipeline.report_sessions()) == 2  # the earlier one, too
    assert "**Ada** · 100 kills" in summaries(pipeline)[0]  # but no 10 rounds any more
    assert pipeline.report_sessions() == []


def test_a_later_session_changes_nothing_of_what_was_told(pipeline: Pipeline) -> None:
    played(pipeline, matches=5, hours=-2)
    (first,) = pipeline.report_sessions()
    told = summaries(pipeline)
    played(pipeline, matches=5, hours=1)
    (later,) = pipeline.report_sessions()
    assert later != first and summaries(pipeline)[:1] == told


def test_after_an_import_of_history_a_session_tells_only_what_was_reached_in_it(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    for match in range(9):
        for number in (1, 2):
            old = a_round(20 * match + 8 * (number - 1) - 60 * 30, number)
            (tmp_path / names(old)[0]).write_bytes(gamestats.dump(old.stats))
    pipeline.import_(tmp_path)
    assert pipeline.page.messages() == []
    pipeline.report_sessions()
    assert pipeline.page.messages() == []
    played(pipeline, matches=1)
    pipeline.report_sessions()
    (summary,) = summaries(pipeline)
    assert "**Ada** · 100 kills, K/D 1" in summary and "10 rounds" not in summary


def test_whoever_is_called_otherwise_by_now_keeps_the_name_of_the_session_in_all_of_its_summary(
    pipeline: Pipeline,
) -> None:
    played(pipeline, matches=5, hours=-2)
    late = a_round(60, 1)
    renamed = replace(late.stats, players=tuple(replace(line, name="Countess") for line in late.stats.players[:1]))
    pipeline.put(names(late)[0], gamestats.dump(replace(renamed, players=renamed.players + late.stats.players[1:])))
    pipeline.take_in()
    pipeline.report_sessions()
    (earlier,) = summaries(pipeline)  # half a match has none
    assert "Countess" not in earlier and "**Ada** · 10 rounds" in earlier


def test_merged_guids_have_one_name_in_a_summary(pipeline: Pipeline) -> None:
    played(pipeline, matches=5)
    with pipeline.database.transaction() as conn:  # as if they had never met
        identities.add(conn, IdentityKind.MERGE, BOB, other_guid=ADA, reason="a new PC", made_by="ref")
    pipeline.report_sessions()
    (summary,) = summaries(pipeline)
    assert "**Ada** · 10 rounds" in summary and "b|b." not in summary
