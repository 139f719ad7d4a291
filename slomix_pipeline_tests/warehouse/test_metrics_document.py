"""docs/metrics.md says what the database says of its metrics: it is made from the comments in ``sql/views``."""

import re
from pathlib import Path

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.settings import project_folder
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.metric_texts import (
    comments_of_metrics,
    left_out_of_aimed_accuracy,
    metric_texts,
    sums,
    views,
)
from slomix_pipeline_tests.snapshots import RENEW, assert_as_kept

DOCUMENT = project_folder() / "docs" / "metrics.md"

INTRODUCTION = f"""# Metrics

What every number means that players see. Made from the comments in `sql/views/`, which the database shows too
(`\\df+ metric_*`, `\\d+ player_sum`); `{RENEW}=1 .venv/bin/pytest slomix_pipeline_tests/warehouse/{Path(__file__).name}` renews it.

- A ratio over nothing or over something unknown is unknown, never 0.
- Several rounds: sums first, then the ratio of the sums; never a mean of ratios. Nothing is rounded before it is shown.
- Numbers of several rounds hold rounds that count and no others.

```sql
select * from player_metric where level = 'session' and scope = 'main:2026-02-02-211352';
select n.name, m.rounds, m.kd, m.dpm from player_metric m join person n using (guid) where m.level = 'career';
```
"""


def document(conn: Connection[DictRow]) -> str:
    parts = [INTRODUCTION, "## Ratios and rates\n"]
    for metric in metric_texts(conn):
        parts.append(
            f"### {metric.name}\n\n{metric.meaning}\n\n- Formula: {metric.formula}\n- Unit: {metric.unit}\n"
            f"- Source: {metric.source}\n"
        )
    parts.append("## Sums\n\n| column | what it counts |\n|---|---|")
    parts += [f"| {own.name} | {own.comment} |" for own in sums(conn)]
    parts.append("\n## Weapons that aimed_accuracy leaves out\n\n| weapon | why |\n|---|---|")
    parts += [f"| {weapon} | {reason} |" for weapon, reason in left_out_of_aimed_accuracy(conn)]
    parts.append("\n## Views, and tables that keep what they give\n\n| name | what it holds |\n|---|---|")
    parts += [f"| {own.name} | {own.comment} |" for own in views(conn) if own.comment]
    return "\n".join(parts) + "\n"


def test_the_document_says_what_the_database_says(database: Database) -> None:
    with database.connect() as conn:
        assert_as_kept(DOCUMENT, document(conn))


def test_the_examples_of_the_document_work(database: Database) -> None:
    with database.connect() as conn:
        conn.execute(INTRODUCTION.split("```")[1].removeprefix("sql").encode())


def test_every_metric_has_a_meaning_a_formula_a_unit_and_a_source(database: Database) -> None:
    with database.connect() as conn:
        comments = [(own.comment or "").split("\n") for own in comments_of_metrics(conn)]
    assert [
        lines
        for lines in comments
        if len(lines) != 4 or [line.partition(": ")[0] for line in lines[1:]] != ["Formula", "Unit", "Source"]
    ] == []


def test_a_metric_takes_the_same_numbers_of_a_round_as_of_many() -> None:
    """Plain SQL has no way to write the list of metrics once for both views."""

    def metrics(views: str) -> list[str]:
        return re.findall(r"metric_\w+\([^)]*\) as \w+", (project_folder() / "sql" / "views" / views).read_text())

    of_many = [metric for metric in metrics("04_totals.sql") if not metric.startswith("metric_per_round")]
    assert metrics("02_rounds.sql") == of_many


def test_a_career_sums_of_its_sessions_what_these_sum_of_their_rounds() -> None:
    def sums(view: str) -> list[tuple[str, ...]]:
        text = (project_folder() / "sql" / "views" / "04_totals.sql").read_text()
        (made,) = re.findall(rf"create view {view} as.*?;", text, re.DOTALL)
        return re.findall(r"count\(p\.(\w+)\) = count\(\*\) then (sum|max)\(p\.(\w+)\)\S* end as (\w+)", made)

    assert len(sums("player_round_sum")) > 30
    assert sums("player_career_sum") == sums("player_round_sum")
    assert all(known == summed == name for known, _, summed, name in sums("player_round_sum"))


def test_every_sum_says_what_it_counts(database: Database) -> None:
    with database.connect() as conn:
        assert [own.name for own in sums(conn) if not own.comment] == []
