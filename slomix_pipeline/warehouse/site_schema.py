"""The schema ``site``: all that pages may read, and the role that may read nothing else.

Belongs here: which relations pages can read, how names are taken out of them, the role and its grants.
Does not belong here: the site's own views and functions (``sql/site``), reading (the readers of ``warehouse``, which
run unchanged: their tables are found in ``site`` first), pages (``site``).

- A site view has the name and the columns of its relation. A relation without one can't be read: add it to ``SHOWN``.
- Who wished to be hidden is masked in each: another GUID and another name, the same ones everywhere, so that sums and
  joins stay true. A view of names alone leaves him out, and so do those that boards and careers are read from.
- Every column of text is shown as it is only if ``_PLAIN`` says that it holds words of ours; else names are looked for
  in it. So a new column can't give anybody away by being forgotten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection, sql
from psycopg.rows import DictRow

from slomix_pipeline.warehouse import roles

ROLE = roles.PAGES

SHOWN = [
    "aimed_accuracy_exclusion",
    "alias",
    "alias_fact",
    "attack_deed",
    "attacked_map",
    "attack_term",
    "award",
    "board_part",
    "board_person",
    "book_night",
    "book_number",
    "career_name",
    "career_round",
    "career_stretch",
    "check_result",
    "correction",
    "endstats_file",
    "expectation",
    "expected_night",
    "fastest_attack",
    "file",
    "forecast_report",
    "map_attack",
    "match",
    "match_player_metric",
    "nemesis",
    "override",
    "pair_record",
    "parsed_player",
    "parsed_round",
    "parsed_weapon",
    "person",
    "person_decided",
    "person_met",
    "person_result",
    "played_map",
    "player_career_sum",
    "player_duel_fact",
    "player_fact_level",
    "player_impact",
    "player_known_sum",
    "player_match_fact",
    "player_met_fact",
    "player_metric",
    "player_name",
    "player_night_fact",
    "player_result",
    "player_round_fact",
    "player_round_receipt",
    "player_round_sum",
    "player_session_fact",
    "player_sum",
    "player_timing_comparison",
    "player_weapon_fact",
    "prediction",
    "prediction_scored",
    "published_result",
    "round",
    "round_endstats",
    "round_in_book",
    "round_level",
    "round_player",
    "round_player_metric",
    "round_player_number",
    "round_timing",
    "round_timing_comparison",
    "round_weapon",
    "round_without_endstats",
    "server_zone",
    "session",
    "session_map",
    "session_name",
    "session_player",
    "session_player_metric",
    "session_player_usual",
    "session_round",
    "session_score",
    "session_team",
    "strength",
    "timing_record",
    "usual_rate",
    "valid_round",
    "valid_round_award",
    "valid_round_duel",
    "valid_round_player",
    "valid_round_versus",
    "valid_round_weapon",
    "versus",
    "weapon_metric",
]
_OF_NAMES_ALONE = ("alias", "alias_fact", "player_name")
# Made of board_person, which knows nobody who is hidden, or read together with it: so no half is of him.
_OF_BOARDS = (
    "board_part",
    "board_person",
    "career_round",
    "career_stretch",
    "person_met",
    "person_result",
)
_BY_INDEX = ("book_night", "player_match_fact")  # read in the order of an index, which no second half can follow
_GUIDS = ("person", "other", "person_guid", "other_guid", "opponent_guid")  # beside the one that a row is of
_LISTS_OF_GUIDS = ("guids", "roster")
_NAMES = ("name", "called", "shown", "hidden_as", "player")  # of the one that a row is of
_OF_FILES = ("file", "parsed_round", "timing_record")  # their name is that of a file
_ONLY_GUIDS = ("team_flags", "before", "after", "facts", "rosters")  # JSON
_PLAIN = frozenset(
    [
        "round_key",
        "match_key",
        "partner_key",
        "session_key",
        "r1_key",
        "r2_key",
        "record_key",
        "candidate_key",
        "file_key",
        "partition_key",
        "session_if_first",
        "server",
        "level",
        "scope",
        "kind",
        "status",
        "state",
        "map",
        "named_map",
        "config",
        "team",
        "winner",
        "source",
        "policy",
        "confidence",
        "by_header",
        "by_time",
        "attackers_first",
        "attackers_second",
        "weapon",
        "flags",
        "sha256",
        "first_sha256",
        "generation",
        "label",
        "award",
        "unit",
        "limit_text",
        "attack_time_text",
        "playtime_text",
        "timezone",
        "rules",
        "placed_with",
        "duration_source",
        "timing_status",
        "link_class",
        "unlinked_class",
        "team_confidence",
        "known_teams",
        "name_source",
        "board",
        "metric",
        "number",
        "deed",
        "severity",
        "check_name",
        "stopwatch",
        "script_version",
        "end_reason",
        "exit_print",
        "schema",
        "server_id",
        "thing",
        "file_name",
        "first_file_name",
        "version",
        "fingerprint",
        "term",
        "terms",
    ]
)


_NAMELESS = (
    "smallint",
    "integer",
    "bigint",
    "numeric",
    "double precision",
    "double precision[]",
    "boolean",
    "timestamp without time zone",
    "timestamp with time zone",
)


@dataclass(frozen=True)
class _Column:
    name: str
    type: str


def digested() -> list[tuple[str, str]]:
    """This module's text: views that are made by it are made anew when it changed."""
    return [(Path(__file__).name, Path(__file__).read_text(encoding="utf-8"))]


def make_views(conn: Connection[DictRow]) -> None:
    """Makes a site view of every relation in ``SHOWN``; the schema and its functions are there, these views are not."""
    for relation in SHOWN:
        conn.execute(_view(relation, _columns(conn, relation)))


def _columns(conn: Connection[DictRow], relation: str) -> list[_Column]:
    rows = conn.execute(
        """select attname as name, format_type(atttypid, null) as type from pg_attribute
           where attrelid = ('public.' || quote_ident(%s))::regclass and attnum > 0 and not attisdropped
           order by attnum""",
        [relation],
    )
    return [_Column(row["name"], row["type"]) for row in rows]


def _view(relation: str, columns: Sequence[_Column]) -> sql.Composed:
    """A relation of public, masked. Two halves where rows are of somebody: so a condition on his GUID reaches the
    indexes below, and where nobody is hidden the second half is not even begun."""
    names = {column.name for column in columns}
    own = next((name for name in ("guid", "person") if name in names), None)
    view = sql.SQL("create view site.{} as ").format(sql.Identifier(relation))
    table = sql.SQL(" from public.{} x").format(sql.Identifier(relation))
    half = sql.SQL("select ") + sql.SQL(", ").join(_seen(relation, columns, own)) + table
    if own is None:
        return view + half
    if relation in _BY_INDEX:
        return view + half + sql.SQL(" where x.guid <> all (array(select h.guid from public.hidden_player h))")
    key = sql.Identifier("x", own)
    # As a list: of "not exists" PostgreSQL expects that it leaves no row, and reads all of history row by row for it.
    half += sql.SQL(" where ({} = any (array(select h.guid from public.hidden_player h))) is not true").format(key)
    if relation in (*_OF_NAMES_ALONE, *_OF_BOARDS):
        return view + half
    other = sql.SQL("select ") + sql.SQL(", ").join(_seen(relation, columns, own, hidden=True)) + table
    other += sql.SQL(" join public.hidden_player h on h.guid = {}").format(key)
    return view + half + sql.SQL(" union all ") + other + sql.SQL(" where exists (select from public.hidden_player)")


def _seen(
    relation: str, columns: Sequence[_Column], own: str | None, *, hidden: bool = False
) -> Iterator[sql.Composable]:
    """What is shown of each column. ``own``: the one that says of whom a row is; ``hidden``: he is."""
    for column in columns:
        seen = _seen_of(relation, column, own, hidden)
        yield sql.SQL(seen).format(x=sql.Identifier("x", column.name)) + sql.SQL(" as ") + sql.Identifier(column.name)


def _seen_of(relation: str, column: _Column, own: str | None, hidden: bool) -> str:
    name = column.name
    if name == own:
        return "h.public_guid" if hidden else "{x}"
    if name in _GUIDS:
        return "coalesce((select o.public_guid from public.hidden_player o where o.guid = {x}), {x})"
    if own is not None and name in _NAMES:
        if hidden:
            return "case when {x} is not null then h.shown end"
        return _named_by(own)
    if name == "opponent":
        shown = "(select o.shown from public.hidden_player o where o.guid = x.opponent_guid)"
        return f"coalesce({shown}, {_named_by('opponent_guid')})"
    if name in _LISTS_OF_GUIDS:
        return (
            "case when {x} is not null then array(select coalesce(o.public_guid, g) from unnest({x}) with ordinality"
            " as a (g, at) left join public.hidden_player o on o.guid = g order by at) end"
        )
    return _text_seen(relation, column)


def _named_by(guid: str) -> str:
    """The name of somebody who is not hidden by his GUID; without one, or with one that is good for a single file, he
    may be somebody who is."""
    return f"case when x.{guid} is null or x.{guid} like 'NO-%' then site.shown_name({{x}}) else {{x}} end"


def _text_seen(relation: str, column: _Column) -> str:
    plain = column.name in _PLAIN or (column.name == "name" and relation in _OF_FILES)
    match column.type:
        case "text":
            return "{x}" if plain else "site.shown_text({x})"
        case "text[]":
            return "{x}" if plain else "site.shown_texts({x})"
        case "json" | "jsonb":
            function = "site.shown_guids" if column.name in _ONLY_GUIDS else "site.shown_json"
            masked = f"{function}({{x}}::jsonb)::{column.type}"  # jsonb has no order of keys
            return f"case when exists (select from public.hidden_player) then {masked} else {{x}} end"
    if column.type not in _NAMELESS:
        raise ValueError(f"{relation}.{column.name}: whether its type {column.type} can hold names is not known")
    return "{x}"


def grant(conn: Connection[DictRow]) -> None:
    """Lets the role read the schema ``site``, where there is such a role."""
    if roles.is_there(conn, ROLE):
        conn.execute(GRANTS)


GRANTS = f"""grant usage on schema site to {ROLE};
grant select on all tables in schema site to {ROLE};"""


def make_role(conn: Connection[DictRow]) -> None:
    """Makes the role where it is missing and we may do everything; ``conn`` commits each statement. On the embedded
    server it is there (``ownership``); elsewhere ``slomix doctor`` says how."""
    if roles.may_make(conn):
        roles.make(conn, ROLE)
    row = conn.execute(
        """select pg_has_role(datdba, 'usage') as ours from pg_database where datname = current_database()"""
    ).fetchone()
    if row is not None and row["ours"]:
        conn.execute(_no_temporary(conn))


def statements_for_role(conn: Connection[DictRow]) -> str:
    """What whoever may do everything runs so that the role is there and reads what pages show, on one line."""
    made = [] if roles.is_there(conn, ROLE) else [roles.create_statement(ROLE)]
    return " ".join([*made, f"{_no_temporary(conn).as_string(conn)};", *GRANTS.split("\n")])


def _no_temporary(conn: Connection[DictRow]) -> sql.Composed:
    """Takes from everybody to make temporary tables, which would be all that the role can write."""
    row = conn.execute("select current_database() as name").fetchone()
    assert row is not None
    return sql.SQL("revoke temporary on database {} from public").format(sql.Identifier(row["name"]))


def trouble_with_role(conn: Connection[DictRow]) -> str | None:
    """Why the role can't read what pages show, or can read more; None: all is as it should be."""
    if not roles.is_there(conn, ROLE):
        return f"there is no role {ROLE}"
    may = conn.execute(
        """select r.rolsuper as everything, has_schema_privilege(r.rolname, 'site', 'usage') as site,
                  (select string_agg(c.relname, ', ') from pg_class c
                   where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
                     and has_table_privilege(r.rolname, c.oid, 'select, insert, update, delete')) as more
           from pg_roles r where r.rolname = %s""",
        [ROLE],
    ).fetchone()
    assert may is not None
    if may["everything"]:
        return f"the role {ROLE} may do everything"
    if may["more"]:
        return f"the role {ROLE} may read or write {may['more']}"
    return None if may["site"] else f"the role {ROLE} may not read the schema site"
