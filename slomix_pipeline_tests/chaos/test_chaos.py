"""A short night during which things go wrong: the numbers are those that were played, every file is accounted for,
nothing is said twice, and what is in doubt says so. Longer ones, with everything that can go wrong: ``make chaos``."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.simulator.sftp_faults import SftpFault
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.embedded import start_embedded, stop_embedded
from slomix_pipeline_tests.chaos import verdict
from slomix_pipeline_tests.chaos.harms import KINDS, Machine, Plan, Planned, Victim, Writing, plan_night
from slomix_pipeline_tests.chaos.night import play_night, report, stage
from slomix_pipeline_tests.chaos.supervised import patiently
from slomix_pipeline_tests.postgres_fixtures import folder_for_servers

SHORT = Plan(
    seed=20,
    harms=(
        Planned(0.0, Fault.LOST_ANSWER),
        Planned(0.0, SftpFault.DROPS, lasts=2.0),
        Planned(2.0, Victim.RUN),
        Planned(2.5, Victim.DAEMON),
        Planned(4.0, Victim.POSTGRES),
    ),
    writings=(Writing.WHOLE, Writing.GROWING),
)


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_for_servers() as made:
        made.chmod(0o755)  # root's database runs as another account
        yield made / "night"


def test_a_plan_is_a_function_of_its_seed_and_leaves_out_what_cant_be_done() -> None:
    plan = plan_night(7, 600, 8)
    assert plan == plan_night(7, 600, 8) != plan_night(8, 600, 8)
    assert {one.harm for one in plan_night(7, 6000, 8).harms} == {harm for kind in KINDS for harm in kind}
    without = plan_night(7, 600, 8, left_out=tuple(Machine))
    assert without.harms == tuple(one for one in plan.harms if not isinstance(one.harm, Machine))


@pytest.mark.timeout(900)
def test_whatever_goes_wrong_an_evening_comes_out_as_played_and_nothing_is_said_twice(folder: Path) -> None:
    looks = (verdict.wrong_numbers, verdict.open_files, verdict.untold_results)
    with stage(folder, own_disk=False, own_clock=False) as made:
        evening = play_night(made, SHORT, maps=1, every=timedelta(seconds=3))
        database = Database(start_embedded(made.settings.postgres_dir))
        try:
            patiently(
                "the night did not settle",
                lambda: not verdict.unsettled(made, database, evening, looks),
                lambda: "\n".join([*verdict.unsettled(made, database, evening, looks), made.pipeline.said()]),
            )
            assert verdict.never_back(made) == []
            assert made.pipeline.end() == 0, made.pipeline.said()
            assert verdict.wrong_messages(made, database, evening, calm={}) == []
            assert verdict.secrets_kept(database, made.page) == []
        finally:
            stop_embedded(made.settings.postgres_dir)
        assert list(verdict.secrets_told(made)) == []
        assert list(verdict.left_behind(made)) == []
        assert [line for line in report(made.done) if "not killed" in line] == []
