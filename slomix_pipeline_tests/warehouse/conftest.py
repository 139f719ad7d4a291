"""What tests of the warehouse share: a database in which rounds were played."""

from collections.abc import Iterator

import pytest

from slomix_pipeline.warehouse.database import Database
from slomix_pipeline_tests.warehouse.played_rounds import Played


@pytest.fixture
def played(database: Database) -> Iterator[Played]:
    with database.connect() as conn:
        yield Played(conn)
