"""What an import tells, and what it leaves to others."""

from dataclasses import replace

from slomix_pipeline.discord.channels import Channels
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.stages.chain import OF_A_ROUND, run_stages
from slomix_pipeline.stages.common import Wish
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now, round_key


def waiting(pipeline: Pipeline) -> list[str]:
    """The results that are due and did not arrive."""
    return [row["thing"] for row in pipeline.rows("select thing from undelivered where kind = 'result'")]


def test_what_becomes_due_while_an_import_has_no_channel_open_is_told_by_the_next_run(pipeline: Pipeline) -> None:
    """As when a live round comes between the import's look at what is due and its look at the matches."""
    evening = play_evening(4, maps=1, ends_at=just_now())
    write_evening(pipeline.folder, evening)
    channels, pipeline.discord = pipeline.discord, None
    pipeline.take_in_all()
    pipeline.discord = channels
    rounds = list(map(round_key, evening.rounds))
    run_stages(OF_A_ROUND, rounds, replace(pipeline.tools(Wish.LIVE), channels=Channels(), tells_later=True))
    assert (pipeline.titles(), waiting(pipeline)) == ([], [f"result:{rounds[1]}"])
    run_stages(OF_A_ROUND, rounds, pipeline.tools(Wish.LIVE))
    assert (len(pipeline.titles()), waiting(pipeline)) == (1, [])
