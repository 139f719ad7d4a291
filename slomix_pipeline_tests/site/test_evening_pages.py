"""The pages of an evening: session, matches, front page and list say more than who won, and no more than is known."""

import re
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.site.templating import number_text, url_of
from slomix_pipeline.warehouse import session_list
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, just_now
from slomix_pipeline_tests.site.test_pages import rows_of
from slomix_pipeline_tests.site_fixtures import Shown, pages_of, play_and_tell, prepare, seen_text

WON = r"\((A|B)\) wins|Draw"


def numbers(exported: dict[str, Any]) -> list[dict[str, Any]]:
    """What everybody did in each round that counts."""
    return [player for round_ in exported["rounds"] if round_["valid"] for player in round_["players"]]


@pytest.fixture(scope="module")
def exported(shown: Shown) -> dict[str, Any]:
    return shown.pipeline.export()


@pytest.fixture(scope="module")
def session_url(exported: dict[str, Any]) -> str:
    return url_of("sessions", exported["session"]["key"])


def changed(pipeline: Pipeline) -> None:
    """Tables that only the stages write have no trigger of their own: what a test changes in them is told here."""
    pipeline.rows("update data_version set version = version + 1 returning 1")


def strip_of(text: str) -> str:
    """The line below the heading, as text."""
    found = re.search(r'<h1>.*?</h1>\s*<p class="strip">(.*?)</p>', text, re.DOTALL)
    assert found
    return re.sub(r"<[^>]*>", "", found[0])


def test_a_session_that_may_go_on_has_no_winner_and_is_over_by_itself(
    shown: Shown, session_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = shown.client.app.state.answers  # type: ignore[attr-defined]
    urls = (session_url, "/", "/sessions")
    running = {url: shown.client.get(url) for url in urls}
    assert all("so far" in page.text for page in running.values())
    assert not re.search(WON, strip_of(running[session_url].text))
    assert "look again" in strip_of(running[session_url].text)
    monkeypatch.setattr(answers, "_settings", answers._settings.model_copy(update={"session_gap": timedelta(0)}))
    for url in urls:
        over = shown.client.get(url, headers={"If-None-Match": running[url].headers["etag"]})
        assert over.status_code == 200 and "so far" not in over.text
        version = r"Data version \d+"
        assert re.search(version, over.text)[0] == re.search(version, running[url].text)[0]  # type: ignore[index]
    assert re.search(WON, strip_of(shown.client.get(session_url).text))
    monkeypatch.undo()
    again = shown.client.get(session_url, headers={"If-None-Match": running[session_url].headers["etag"]})
    assert again.status_code == 304


def test_a_page_that_does_not_ask_what_runs_is_kept_when_a_session_is_over(
    shown: Shown, exported: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = url_of("matches", exported["matches"][0]["r1"])
    tag = shown.client.get(url).headers["etag"]
    answers = shown.client.app.state.answers  # type: ignore[attr-defined]
    monkeypatch.setattr(answers, "_settings", answers._settings.model_copy(update={"session_gap": timedelta(0)}))
    assert shown.client.get(url, headers={"If-None-Match": tag}).status_code == 304


def test_a_team_together_is_the_sum_of_its_players(shown: Shown, exported: dict[str, Any], session_url: str) -> None:
    together = [row for row in rows_of(shown.client.get(session_url).text) if row and row[0] == "Together"]
    for team, row in zip("AB", together, strict=True):
        own = [player for player in numbers(exported) if player["team"] == team]
        kills, deaths = (sum(player[name] for player in own) for name in ("kills", "deaths"))
        assert row[1:4] == [str(kills), str(deaths), number_text(kills / deaths, 2)]
        assert row[5] == str(sum(player["damage_given"] for player in own))


def test_every_kill_with_a_weapon_is_one_of_its_player(
    shown: Shown, exported: dict[str, Any], session_url: str
) -> None:
    page = shown.client.get(session_url).text
    table = page[page.index('aria-label="Weapons"') : page.index("</details>", page.index('aria-label="Weapons"'))]
    kills: Counter[str] = Counter()
    name = ""
    for row in rows_of(table)[1:]:
        name = row[0] if len(row) == 5 else name
        kills[name] += int(row[-3])
    assert sum(kills.values()) == sum(player["kills"] for player in numbers(exported))


def test_who_killed_whom_is_what_was_played_and_says_of_how_many_rounds(
    shown: Shown, exported: dict[str, Any], session_url: str
) -> None:
    page = shown.client.get(session_url)
    rounds = sum(round_["valid"] for round_ in exported["rounds"])
    assert f"Known in full of {rounds} of {rounds} rounds" in seen_text(page)
    table = page.text[page.text.index("Each row killed each column") :]
    matrix = rows_of(table[: table.index("</table>")])[1:]
    given = [[int(cell or 0) for cell in row[1:]] for row in matrix]
    taken = [[given[other][own] for other in range(len(given))] for own in range(len(given))]
    duels = shown.pipeline.rows("select sum(kills)::int as kills, sum(deaths)::int as deaths from valid_round_versus")
    assert sum(map(sum, given)) == duels[0]["kills"] == duels[0]["deaths"] == sum(map(sum, taken))


def test_a_match_shows_both_attacks_its_awards_and_which_of_them_hold_both_rounds(
    shown: Shown, exported: dict[str, Any]
) -> None:
    page = shown.client.get(url_of("matches", exported["matches"][0]["r1"]))
    assert '<svg class="axis"' in page.text and "par is told from 10 attacks on" in seen_text(page)
    first, second = page.text.split("Awards of round 2")
    assert "of both rounds" not in first and "of both rounds" in second[: second.index("</details>")]


def test_a_decision_stands_on_the_match_with_why_and_when(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    play_and_tell(pipeline)
    (match,) = pipeline.rows("select r1_key, winner from match where position = 1")
    other = "B" if match["winner"] == "A" else "A"
    done = pipeline.slomix("override", "winner", match["r1_key"], other, "--why=he saw it", "--by=ref")
    assert done.exit_code == 0, done.stderr
    pipeline.work([match["r1_key"]])
    pipeline.rows("update match set by_header = 'first', by_time = 'draw' returning 1")
    pipeline.rows(
        """insert into correction (thing, before, after, notice, cause)
           select thing, '{}', '{}', 'it was another one', 'a decision' from post join match on r2_key = partition_key
           where match.position = 1 returning 1"""
    )
    pipeline.rows(
        """insert into site_picture (session_key, position, name, alt, svg, privacy, scored_at)
           select session_key, 2, 'score', 'a score', svg, privacy, null from site_picture returning 1"""
    )
    key = pipeline.export()["session"]["key"]
    with pages_of(pipeline.database) as client:
        page = client.get(url_of("matches", match["r1_key"]))
        assert "Decided by a person" in page.text and f"winner: {other}: he saw it" in seen_text(page)
        assert "The times say: draw" in seen_text(page) and '<svg class="axis"' in page.text
        listed = client.get("/sessions").text
        assert "1 decided by a person" in listed and "1 corrected" in listed
        assert "Of an earlier state of the evening" in client.get(url_of("sessions", key)).text
        pipeline.rows("update override set value = %s returning 1", match["winner"])  # now the letter of the others
        pipeline.rows(
            """update match set status = 'ambiguous', winner = null, source = null, points_a = null, points_b = null,
                                by_header = null, by_time = null
               where r1_key = %s returning 1""",
            match["r1_key"],
        )
        page = client.get(url_of("matches", match["r1_key"]))
        assert f"winner: {other}: he saw it" in seen_text(page)
        assert '<svg class="axis"' not in page.text and "headers say" not in page.text


@pytest.fixture
def usual(pipeline: Pipeline) -> Pipeline:
    """An evening after six others, at each of which everybody did half as much damage, on other days a month apart."""
    play_and_tell(pipeline)
    with pipeline.database.transaction() as conn:
        conn.execute(
            """insert into session (session_key, server, started_at, ended_at, scored_at, worked_at)
               select 'main:before-' || n, server, started_at - n * interval '31 days', ended_at - n * interval '31 days',
                      now(), now()
               from session cross join generate_series(1, 6) n"""
        )
        columns = [
            row["name"]
            for row in conn.execute(
                """select attname as name from pg_attribute
                   where attrelid = 'player_session_fact'::regclass and attnum > 0 order by attnum"""
            )
        ]
        changed = {
            "scope": "'main:before-' || n",
            "first_played_at": "first_played_at - n * interval '31 days'",
            "last_played_at": "last_played_at - n * interval '31 days'",
            "damage_given": "damage_given / 2",
        }
        shown = ", ".join(changed.get(name, name) for name in columns)
        conn.execute(
            f"insert into player_session_fact select {shown} from player_session_fact, generate_series(1, 6) n"
        )
    return pipeline


def test_everybody_stands_against_his_own_sessions_before_from_five_on(usual: Pipeline) -> None:
    usual.facts_hold = False
    key = usual.export()["session"]["key"]
    everybody = {player["guid"] for player in numbers(usual.export())}
    with pages_of(usual.database) as client:
        page = client.get(url_of("sessions", key)).text
        assert page.count("▲</abbr>") >= len(everybody) and "the median of 6 own sessions before" in page
        home = seen_text(client.get("/"))
        assert "Form" in home and "the median of 6 own sessions before" in home
        usual.rows("update player_session_fact set damage_given = null where scope = 'main:before-1' returning 1")
        usual.rows("update player_session_fact set damage_given = damage_given * 9 where scope <> %s returning 1", key)
        changed(usual)
        page = client.get(url_of("sessions", key)).text
        assert page.count("▼</abbr>") >= len(everybody) and "the median of 5 own sessions before" in page
        hidden = min(everybody)
        usual.rows(
            """insert into identity_decision (kind, guid, name, reason, made_by)
               values ('hide', %s, 'Hidden', 'he asked', 'admin') returning 1""",
            hidden,
        )
        form = re.findall(r"below [\d.]+, the median", client.get("/").text)
        assert len(form) == len(everybody) - 1
        usual.rows("delete from session where session_key in ('main:before-5', 'main:before-6') returning 1")
        changed(usual)
        assert "▲</abbr>" not in client.get(url_of("sessions", key)).text
        assert "the median" not in client.get("/").text


def test_the_list_shows_what_was_asked_for_and_folds_single_files(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    play_and_tell(pipeline)
    export = pipeline.export()
    own, player, played = export["session"]["key"], numbers(export)[0], export["matches"][1]["map"]
    month = export["session"]["started_at"][:7]
    with pipeline.database.transaction() as conn:
        conn.execute(
            """insert into session (session_key, server, started_at, ended_at)
               select 'main:one', server, started_at - interval '70 days', ended_at - interval '70 days' from session"""
        )
        conn.execute("update session_round set session_key = 'main:one', position = 1 where position = 1")
    with pages_of(pipeline.database) as client:

        def listed(query: str) -> set[str]:
            return set(re.findall(r'class="card">\s*<a href="/sessions/([^"]*)"', client.get(f"/sessions{query}").text))

        assert listed("") == {own} and listed("?one_file=1") == {own, "main:one"}
        assert 'href="/sessions?one_file=1"' in client.get("/sessions").text
        (one,) = pipeline.rows("select started_at from session where session_key = 'main:one'")
        alone = client.get(f"/sessions?on={one['started_at']:%Y-%m-%d}")
        assert "No match was played on that day" in alone.text and "Nothing was played" not in alone.text
        assert listed(f"?player={player['guid']}") == listed(f"?map={played}") == listed(f"?month={month}") == {own}
        assert listed(f"?month={date.fromisoformat(month + '-01') - timedelta(days=400):%Y-%m}") == set()
        for wrong in ("month=2026-13", "month=0000-01", "player=nobody-of-that-name", "map=nowhere"):
            page = client.get(f"/sessions?{wrong}")
            assert page.status_code == 400 and wrong.split("=")[0] in seen_text(page), wrong
        assert client.get(f"/sessions?month={month}&on={month}-01").status_code == 400
        assert f'value="{player["guid"]}"' in client.get(f"/sessions?player={player['guid']}").text
        pipeline.rows(
            """update session set started_at = started_at - interval '100 days', ended_at = ended_at - interval '100 days'
               where session_key <> 'main:one' returning 1"""
        )
        headline = re.compile('<h1><a href="/sessions/([^"]*)"')
        assert headline.findall(client.get("/").text) == [own]
        pipeline.rows("update session set ended_at = now() where session_key = 'main:one' returning 1")
        assert headline.findall(client.get("/").text) == ["main:one"]  # it may become a match yet
        assert listed("") == {own, "main:one"}


def test_the_front_page_tells_what_was_reached_and_names_nobody_who_is_hidden(pipeline: Pipeline) -> None:
    play_and_tell(pipeline, maps=7)
    with pages_of(pipeline.database) as client:
        home = client.get("/").text
        assert "<h2>New</h2>" in home and "MVP" in home
        guid = re.findall(r"<h2>New</h2>.*?/players/(\w{8})", home, re.DOTALL)[0]
        done = pipeline.slomix("identity", "hide", guid, "--why=he asked", "--by=admin")
        assert done.exit_code == 0, done.stderr
        prepare(pipeline.database)
        assert guid not in client.get("/").text and guid not in client.get("/sessions").text


def test_news_of_another_state_are_not_told(pipeline: Pipeline) -> None:
    play_and_tell(pipeline)
    assert pipeline.rows("select * from site.news")
    pipeline.rows("update session set worked_at = now(), scored_at = now() returning 1")
    assert pipeline.rows("select * from site.news") == []


def test_who_was_best_in_the_list_is_who_the_session_says(
    shown: Shown, exported: dict[str, Any], session_url: str
) -> None:
    key = exported["session"]["key"]
    with shown.pipeline.database.snapshot() as conn:
        best = session_list.best_of_sessions(conn, [key])[key]
    page = shown.client.get(session_url).text
    lines = re.findall(r"MVP of .*?</li>", page, re.DOTALL)
    assert len(lines) == len(best) == 2
    for line in lines:
        guids = re.findall(r"/players/(\w{8})", line)
        assert guids in [[one.guid for one in own] for own in best.values()]


def test_a_link_to_a_session_unfurls_with_an_address_that_is_whole(
    shown: Shown, exported: dict[str, Any], session_url: str
) -> None:
    for url in (session_url, url_of("matches", exported["matches"][0]["r1"])):
        meta = dict(re.findall(r'<meta property="(og:\w+)" content="([^"]*)"', shown.client.get(url).text))
        assert meta["og:url"] == f"http://127.0.0.1{url}" and meta["og:title"] and meta["og:description"]
        assert meta["og:image"] == f"http://127.0.0.1{session_url}/card.png"
        assert shown.client.get(meta["og:image"]).headers["content-type"] == "image/png"


def test_half_a_match_without_endstats_says_what_is_missing(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    evening = play_evening(61, maps=1, ends_at=just_now())
    key = pipeline.put_stats(evening.matches[0].r1)
    pipeline.take_in()
    with pages_of(pipeline.database) as client:
        match = seen_text(client.get(url_of("matches", key)))
        assert "The second half is missing: not counted" in match and "there are no endstats" in match
        assert "<dt>Stopwatch</dt>" in client.get(url_of("rounds", key)).text
        session = client.get("/sessions/latest", follow_redirects=True)
        assert "No match counts so far" in seen_text(session) and "there are no endstats" in seen_text(session)
        headings = re.findall("<h2[^>]*>([^<]*)", session.text)
        assert headings and not {"Who killed whom", "Awards"} & set(headings)
        listed = seen_text(client.get("/sessions"))
        assert "No match counts" in listed and "so far" in listed and "Also rounds without a match" not in listed
        assert "No match counts" in seen_text(client.get("/sessions?one_file=1"))
        home = seen_text(client.get("/"))
        assert "No match counts" in home and "not counted" in home
        pipeline.rows("update session set ended_at = ended_at - interval '3 hours' returning 1")
        listed = seen_text(client.get("/sessions"))
        assert "No match was played yet" in listed and "Also rounds without a match" in listed
        assert "No match counts" in seen_text(client.get("/"))
        pipeline.rows("update match set winner = 'A', source = 'override', points_a = 1, points_b = 0 returning 1")
        match = seen_text(client.get(url_of("matches", key)))
        assert "The second half is missing." in match and "not counted" not in match
        pipeline.rows("update round set status = 'aborted' returning 1")
        pipeline.rows("delete from session_map returning 1")
        changed(pipeline)
        assert client.get("/sessions").text.count("<option") == 1  # of its map nothing counts, so nobody can ask for it
        broken_off = client.get(url_of("rounds", key)).text
        assert not [word for word in ("Won by", "Attack", "Stopwatch") if f"<dt>{word}</dt>" in broken_off]


def test_who_killed_whom_is_taken_from_either_and_says_what_it_lacks(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    play_and_tell(pipeline, maps=1)
    key = pipeline.export()["session"]["key"]
    (line,) = pipeline.rows(
        "select round_key, guid, player, opponent_guid from valid_round_versus order by kills desc, round_key limit 1"
    )
    with pages_of(pipeline.database) as client:

        def matrix() -> tuple[str, list[list[str]]]:
            changed(pipeline)
            page = client.get(url_of("sessions", key))
            table = page.text[page.text.index("Each row killed each column") :]
            return seen_text(page), rows_of(table[: table.index("</table>")])[1:]

        whole, table = matrix()
        assert "Known in full of 2 of 2 rounds" in whole
        pipeline.rows("update versus set opponent_guid = null where opponent = %s returning 1", line["player"])
        again, same = matrix()  # what others' lines lack stands in their own
        assert same == table and "Known in full of 2 of 2 rounds" in again
        pipeline.rows(
            "delete from versus where round_key = %s and guid = %s returning 1",
            line["round_key"],
            line["opponent_guid"],
        )
        again, same = matrix()  # and the other way round, but it is not all of the file
        assert same == table and "Known in full of 1 of 2 rounds" in again
        pipeline.rows("delete from versus where guid = %s returning 1", line["guid"])
        assert "Known in full of 0 of 2 rounds" in matrix()[0]
        pipeline.rows("update versus set player = null, guid = null returning 1")
        changed(pipeline)
        unowned = seen_text(client.get(url_of("sessions", key)))
        assert "Known in full of 0 of 2 rounds" in unowned
        assert "The endstats of 2 do not say whose lines are whose" in unowned
        assert "there are no endstats" not in unowned


def test_weapons_of_who_has_an_unknown_round_are_not_told_as_all(pipeline: Pipeline) -> None:
    pipeline.facts_hold = False
    play_and_tell(pipeline, maps=1)
    key = pipeline.export()["session"]["key"]
    who = numbers(pipeline.export())[0]["guid"]
    pipeline.rows(
        """update player_round_fact set kills = null, deaths = null, hits = null, shots = null
           where guid = %s and round_key = (select min(round_key) from player_round_fact) returning 1""",
        who,
    )
    with pages_of(pipeline.database) as client:
        for url in (url_of("sessions", key), url_of("matches", pipeline.export()["matches"][0]["r1"])):
            page = client.get(url).text
            weapons = page[page.index('aria-label="Weapons"') :]
            assert "his counters are unknown in a round" in weapons[: weapons.index("</details>")]
            assert "unknown in a round, or nothing to divide by" in page
