"""No metric reads past the valid rounds: proved on what PostgreSQL itself knows of every view, and on every SQL we send.

A view over numbers of players reads them through ``valid_round_player`` or ``valid_round_weapon``, or from
the tables in which rows of the first and sums of them are kept. Who reads them past these doors is listed here with the
reason; a new view that does so fails until somebody thought about it.
"""

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

import slomix_pipeline
from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.warehouse.database import Database

DOORS = {"valid_round_player", "valid_round_weapon"}
KEPT = {  # what came through them, and by which view
    "player_round_fact": "valid_round_player",
    "player_session_fact": "player_round_sum",
    "player_weapon_fact": "weapon_session_sum",
    "player_match_fact": "player_match_sum",
    "player_night_fact": "player_night_sum",
}
NAMES = ("alias", "alias_session_sum")  # read round_player too, but hold no number of a player
NUMBERS = {"round_player", "round_weapon", "parsed_player", "parsed_weapon", *KEPT}

MAY_READ_PAST_THE_DOORS = {
    "round_player_number": "one row per player and round",
    "round_player_metric": "one row per player and round",
    "player_timing_comparison": "one row per player and round",
    "player_round_receipt": "one row per player and round, to compare with its file",
    "rated_roster": "whether anybody in a match can't be told, whose numbers came through no door",
    "prediction_scored": "the same, by rated_roster",
}
MODULES_THAT_MAY_ADD_UP = {
    "warehouse/comparisons.py": "what is stored of a round against what its file says",
    "warehouse/parsed.py": "what is stored of a round, read back",
    "warehouse/predictions.py": "who plays a match whose second round is still to come",
    "warehouse/played_history.py": "whether anybody in a round can't be told, whose numbers came through no door",
}

# Which relation each view selects from, as PostgreSQL recorded it when the view was made.
_READS = """
    select distinct v.relname as view, r.relname as reads
    from pg_rewrite w
    join pg_class v on v.oid = w.ev_class and v.relkind in ('v', 'm')
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = w.oid and d.refclassid = 'pg_class'::regclass
    join pg_class r on r.oid = d.refobjid and r.oid <> v.oid
    where v.relnamespace = current_schema()::regnamespace"""


def past_the_doors(database: Database, doors: Collection[str] = (*DOORS, *KEPT)) -> set[str]:
    """The views that reach numbers of players on a way that leads through no door. Doors and names are passed over."""
    with database.connect() as conn:
        reads: dict[str, set[str]] = {}
        for row in conn.execute(_READS):
            reads.setdefault(row["view"], set()).add(row["reads"])

    def reaches(relation: str) -> bool:
        if relation in doors or relation in NAMES:
            return False
        return relation in NUMBERS or any(reaches(read) for read in reads.get(relation, ()))

    return {view for view in reads if reaches(view)}


def test_only_the_listed_views_read_numbers_past_the_doors(database: Database) -> None:
    assert past_the_doors(database) - MAY_READ_PAST_THE_DOORS.keys() == set()


def test_the_views_of_metrics_do_read_numbers_and_only_through_the_doors(database: Database) -> None:
    metrics = {
        "player_sum",
        "player_metric",
        "player_known_sum",
        "weapon_metric",
        "match_player_metric",
        "session_player_metric",
    }
    assert metrics <= past_the_doors(database, doors=())
    assert metrics & past_the_doors(database) == set()


@pytest.mark.parametrize(
    "view",
    [
        "select guid, sum(kills) as kills from round_player group by guid",
        "select weapon, sum(kills) as kills from round_weapon group by weapon",
        "select guid, avg(dpm) as dpm from round_player_metric group by guid",
        "select guid, sum(kills) from round_level join round_player_number using (round_key) group by guid",
        "select guid, max(minutes_played) from parsed_player group by guid",
        "select m.guid, n.kills from player_metric m join round_player n using (guid)",
        "with board as (select guid, kills from round_player) select * from board where exists (select from valid_round)",
        "select (select sum(kills) from round_player) as kills",
    ],
)
def test_a_new_view_that_reads_past_the_doors_is_found(database: Database, view: str) -> None:
    with database.transaction() as conn:
        conn.execute(f"create view board as {view}")
        conn.execute("create view board_on_board as select * from board")
    assert past_the_doors(database) - MAY_READ_PAST_THE_DOORS.keys() == {"board", "board_on_board"}


def test_a_new_view_through_the_doors_is_fine(database: Database) -> None:
    with database.transaction() as conn:
        conn.execute("create view board as select guid, kills from player_metric join player_name using (guid)")
        conn.execute("create materialized view kept as select guid, max(kills) from valid_round_player group by guid")
    assert past_the_doors(database) & {"board", "kept"} == set()


def test_both_doors_open_only_to_valid_rounds(database: Database) -> None:
    with database.connect() as conn:
        for door in DOORS:
            reads = {row["reads"] for row in conn.execute(_READS) if row["view"] == door}
            assert "valid_round" in reads and "round" not in reads
        (text,) = [row["text"] for row in conn.execute("select pg_get_viewdef('valid_round') as text")]
    assert re.search(r"WHERE r\.valid;$", text)


def test_what_is_kept_came_through_a_door_and_nobody_writes_it_otherwise() -> None:
    texts = [*(bundled_folder("sql") / "views").glob("*.sql"), *Path(slomix_pipeline.__file__).parent.rglob("*.py")]
    writing = re.compile(rf"\b(?:into|update|copy|create table) ({'|'.join(KEPT)})(?: as)?\s+(\w+ .* from \w+)")
    found = [match.groups() for path in texts for match in writing.finditer(path.read_text("utf-8"))]
    assert sorted(found) == sorted(2 * [(kept, f"select * from {view}") for kept, view in KEPT.items()])


def test_names_are_no_back_door(database: Database) -> None:
    with database.connect() as conn:
        for names in NAMES:
            columns = {column.name for column in conn.execute(f"select * from {names}").description or ()}
            assert columns - {"session_key"} == {"guid", "name", "first_seen", "last_seen", "rounds"}


def test_no_function_reads_numbers(database: Database) -> None:
    """PostgreSQL doesn't note what the text of a function reads."""
    with database.connect() as conn:
        reading = conn.execute(
            """select proname from pg_proc
               where pronamespace = current_schema()::regnamespace and prosrc ~ '(round|parsed)_(player|weapon)'"""
        ).fetchall()
    assert reading == []


# --- SQL in the program ---

_ADDS_UP = re.compile(r"\b(sum|avg|max|metric_\w+)\s*\(", re.IGNORECASE)
_NUMBERS = re.compile(r"(?<!valid_)\b(round|parsed)_(player|weapon)(_metric|_number)?\b")


def adds_up_past_the_doors(source: str) -> Iterator[str]:
    """The texts of a source that add up numbers of players without going through the doors."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = re.sub(r"\bvalid_round_(player|weapon)\b", "", node.value)
            if _ADDS_UP.search(text) and _NUMBERS.search(text):
                yield node.value


def test_no_module_adds_up_numbers_past_the_doors() -> None:
    package = Path(slomix_pipeline.__file__).parent
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if any(adds_up_past_the_doors(path.read_text("utf-8")))
    }
    assert found - MODULES_THAT_MAY_ADD_UP.keys() == set()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select guid, sum(kills) from round_player group by 1", True),
        ("select avg(dpm) from round_player_metric", True),
        ("select metric_kd(kills, deaths) from valid_round_player join round_player using (guid)", True),
        ("select guid, sum(kills) from valid_round_player group by 1", False),
        ("select kills from round_player where round_key = %s", False),
    ],
)
def test_sql_that_adds_up_past_the_doors_is_found(query: str, found: bool) -> None:
    assert any(adds_up_past_the_doors(f"QUERY = {query!r}")) is found
