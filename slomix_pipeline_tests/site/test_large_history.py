"""Pages of a history with more of everything than one of them holds, in a real browser: of each kind twenty."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from fastapi.testclient import TestClient

from slomix_pipeline.simulator import evening as simulated
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline_tests.pipeline_fixtures import just_now, open_pipeline
from slomix_pipeline_tests.postgres_fixtures import copied_database
from slomix_pipeline_tests.site.conftest import Opened
from slomix_pipeline_tests.site.looking import TYPED, kind_of, served, wrong_at_every_size
from slomix_pipeline_tests.site_fixtures import links_of, pages_of, prepare

EVENINGS, A_SIDE = 30, 6  # more than a page of sessions lists
CLANS = {
    "A": tuple(f"^1fox^7|the {number}th of them" for number in range(40)),
    "B": tuple(f"^5.owl ^7{number}" for number in range(40)),
}  # more people than a page of players lists
OF_A_KIND = 20


@pytest.fixture(scope="module")
def client(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """Three months of evenings, imported at once."""
    with (
        copied_database(postgres_server, migrated_template) as database,
        open_pipeline(database, tmp_path_factory.mktemp("large")) as pipeline,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(simulated, "_CLANS", CLANS)
        for number in range(EVENINGS):
            ends_at = just_now() - timedelta(days=3 * number)
            write_evening(pipeline.folder, play_evening(number, maps=2, players_per_team=A_SIDE, ends_at=ends_at))
        pipeline.import_(pipeline.folder)
        prepare(database)
        with pages_of(database) as found:
            yield found


def some_of_each_kind(client: TestClient) -> list[str]:
    """Addresses that links lead to, at random, and always the same: of each kind as many as are wanted. Whatever is asked
    for after a ``?`` makes one other kind."""
    random, found, waiting = Random(7), {"/"}, [*TYPED, "/"]
    taken: dict[tuple[str, bool], list[str]] = {}
    while waiting:
        url = waiting.pop(random.randrange(len(waiting)))
        kind = kind_of(url)
        if kind is None or len(taken.setdefault((kind[0], bool(kind[1])), [])) == OF_A_KIND:
            continue
        answer = client.get(url)
        if answer.status_code == 200:
            taken[kind[0], bool(kind[1])].append(url)
            new = sorted(set(links_of(answer)) - found)
            waiting += new
            found.update(new)
    return [url for urls in taken.values() for url in urls]


@pytest.mark.timeout(600)
def test_twenty_pages_of_each_kind_fit_and_complain_of_nothing(opened: Opened, client: TestClient) -> None:
    urls = some_of_each_kind(client)
    of_kinds = Counter(kind[0] for kind in map(kind_of, urls) if kind)
    assert all(of_kinds[kind] >= OF_A_KIND for kind in ("/sessions/{key}", "/players/{guid}", "/matches/{key}"))
    assert any("before=" in url for url in urls) and any(url.startswith("/players?after=") for url in urls)
    with served(client.app) as base:
        assert wrong_at_every_size(opened(), base, urls) == {}
