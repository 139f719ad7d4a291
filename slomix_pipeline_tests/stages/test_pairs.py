"""What every pair won, counted over all of history beside what was to be expected, and shown where the two are."""

from datetime import timedelta
from pathlib import Path

from slomix_pipeline.rules.pairs import LEAST_MATCHES
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.writing import write_evening
from slomix_pipeline.site.api.kit import api_url
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.stages.attack_model import learn
from slomix_pipeline.stages.pairs import find_pairs
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now
from slomix_pipeline_tests.site_fixtures import pages_of, seen_text

_COUNTED = """
    select own.guid, other.guid as other_guid, count(*) as matches,
           count(*) filter (where m.winner = own.team) as won
    from rated_match m
    join rated_roster own using (match_key)
    join rated_roster other using (match_key, team)
    where m.winner in ('A', 'B') and own.guid <> other.guid and least(own.seconds, other.seconds) >= 60
    group by own.guid, other.guid having count(*) >= %s order by 1, 2"""


def test_every_pair_of_enough_matches_has_its_record_and_only_what_changes_is_written(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    evening = play_evening(61, maps=["supply", "te_escape2"] * 6, ends_at=just_now() - timedelta(days=1))
    write_evening(tmp_path, evening)
    pipeline.import_(tmp_path)
    assert find_pairs(pipeline.database).pairs > 0  # before any model was fitted
    assert pipeline.rows("select from pair_record where expected is not null") == []
    learn(pipeline.database)
    found = find_pairs(pipeline.database)
    rows = pipeline.rows("select * from pair_record order by guid, other_guid")
    assert found.changed > 0 and len(rows) == 2 * found.pairs
    counted = [{name: row[name] for name in ("guid", "other_guid", "matches", "won")} for row in rows]
    assert counted == pipeline.rows(_COUNTED, LEAST_MATCHES)
    assert all(0 < row["expected"] < row["matches"] for row in rows)

    version = pipeline.rows("select version from data_version")
    assert find_pairs(pipeline.database).changed == 0
    assert pipeline.rows("select version from data_version") == version

    one, other = rows[0]["guid"], rows[0]["other_guid"]
    told = f"{rows[0]['matches']} matches, won {rows[0]['won']}; {rows[0]['expected']:.1f} expected"
    with pages_of(pipeline.database) as client:
        assert told in seen_text(client.get(url_of("compare", one, other)))
        record = client.get(api_url("compare", one, other)).json()["record"]
        assert {name: record[name] for name in ("matches", "won", "expected")} == {
            name: rows[0][name] for name in ("matches", "won", "expected")
        }
        page = client.get(url_of("players", one))
        assert "Decided matches in one team" in page.text and "<h2>Strength</h2>" not in page.text
        assert client.get(api_url("players", one)).json()["strength"] is None  # nobody is a regular yet
        with pipeline.database.connect() as conn:
            conn.execute("insert into strength values (%s, 0.15, 0.1, 116, 0.45)", [one])
        assert "+6 points of win chance in a 3v3" in seen_text(client.get(url_of("players", one)))
        assert client.get(api_url("players", one)).json()["strength"]["matches"] == 116
