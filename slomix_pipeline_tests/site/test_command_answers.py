"""What slash commands are answered with: the same as pages and posts say, safe, and within Discord's limits."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from slomix_pipeline.discord.embeds import Embed, Field, Message
from slomix_pipeline.discord.standin_files import Call
from slomix_pipeline.discord.standin_refusals import refusals
from slomix_pipeline.discord.wording import NEUTRAL
from slomix_pipeline.rules.boards import threshold
from slomix_pipeline.settings import FOR_COMMANDS
from slomix_pipeline.site.interactions import players
from slomix_pipeline.site.interactions.commands import (
    COMMANDS,
    CommandName,
    MatchPart,
    Period,
    PlayerPart,
    SessionPart,
    registration,
)
from slomix_pipeline.site.interactions.replies import Reply, body, choices
from slomix_pipeline.warehouse import careers, choosing, link_requests, reading, results
from slomix_pipeline.warehouse.database import site_url
from slomix_pipeline.warehouse.link_requests import Wish
from slomix_pipeline.warehouse.players import PlayerListed, everybody
from slomix_pipeline_tests.interaction_fixtures import (
    SOMEBODY,
    Commands,
    command_settings,
    commands_on,
    embed_of,
    text_of,
)
from slomix_pipeline_tests.pipeline_fixtures import Pipeline, open_pipeline
from slomix_pipeline_tests.postgres_fixtures import copied_database
from slomix_pipeline_tests.site_fixtures import OWN, Shown, play_and_tell, seen_text

OTHER = "300000000000000004"


@pytest.fixture(scope="module")
def people(commands: Commands) -> list[str]:
    """The GUIDs of who played, as they can be chosen."""
    return [choice["value"] for choice in commands.choices("player", "who")]


@pytest.fixture(scope="module")
def on_map(commands: Commands) -> str:
    return commands.choices("map", "map")[0]["value"]


def every_answer(people: list[str], on_map: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each command with each of its parts."""
    yield from (("session", {"part": str(part)}) for part in SessionPart)
    yield from (("match", {"part": str(part)}) for part in MatchPart)
    yield from (("player", {"who": people[0], "part": part}) for part in PlayerPart)
    yield "compare", {"a": people[0], "b": people[1]}
    yield "balance", {"players": ", ".join(people[:6]), "together": f"{people[0]},{people[1]}"}
    yield from (("top", {"board": board["value"], "period": "30", "map": on_map}) for board in _boards())
    yield from (("records", {}), ("records", {"map": on_map}), ("map", {"map": on_map}), ("status", {}))


def _boards() -> list[dict[str, str]]:
    (top,) = (own for own in registration() if own["name"] == "top")
    found: list[dict[str, str]] = top["options"][0]["choices"]
    return found


def test_every_command_is_answered_with_one_embed_that_leads_to_its_page_and_pings_nobody(
    commands: Commands, shown: Shown, people: list[str], on_map: str
) -> None:
    for name, options in every_answer(people, on_map):
        message = commands.message(name, **options)
        embed = embed_of(message)
        assert "flags" not in message, (name, options, message["content"])
        assert message["allowed_mentions"] == {"parse": []}
        assert refusals(Call(message, {})) == {}
        assert embed["url"].startswith(f"{OWN}/")
        assert shown.client.get(embed["url"].removeprefix(OWN)).status_code == 200, embed["url"]


def test_the_score_is_that_of_the_page_and_of_the_posts(commands: Commands, shown: Shown) -> None:
    posts = [embed for message in shown.pipeline.page.messages() for embed in message["embeds"]]
    session = embed_of(commands.message("session"))
    summary = next(post for post in posts if post.get("footer", {}).get("text", "").startswith(_key(shown) + " ·"))
    assert session["title"] == summary["title"]
    assert session["footer"]["text"] == f"{summary['footer']['text']} · trust grade A"
    with shown.pipeline.database.connect() as conn:
        (score,) = reading.session_rows(conn, _key(shown))
        teams = {team: name.shown for team, name in reading.matches(conn, [_key(shown)])[0].teams.items()}
    page = shown.client.get(f"/sessions/{_key(shown)}").text
    assert f"{teams['A']} {score.points_a} – {score.points_b} {teams['B']}" in page
    assert (
        f"{teams['A']} {score.points_a} – {score.points_b} {teams['B']}"
        in commands.choices("session", "which")[0]["name"]
    )
    match = embed_of(commands.message("match"))
    assert match["footer"]["text"].endswith(" · session's trust grade A")
    result = next(post for post in posts if post["title"] == match["title"])
    with shown.pipeline.database.connect() as conn:
        winners = [own.winner for own in reversed(reading.matches(conn, [_key(shown)]))]
    assert [own["name"].rpartition(" · ")[2] for own in commands.choices("match", "which")] == [
        f"{teams[winner]} won" if winner in teams else winner for winner in winners
    ]
    assert (match["description"], match["fields"]) == (result["description"], result["fields"])


def test_nobody_won_a_session_that_may_go_on(shown: Shown) -> None:
    over = {"session_gap": "60 min", "pairing_window": "45 min"}
    with commands_on(shown.pipeline.database, **over) as commands:
        embed = embed_of(commands.message("session"))
    assert embed["title"].endswith(", so far") and "wins" not in embed["title"]
    assert embed["color"] == NEUTRAL
    assert " so far" in shown.client.get(f"/sessions/{_key(shown)}").text


def _key(shown: Shown) -> str:
    with shown.pipeline.database.connect() as conn:
        (key,) = results.session_keys(conn)
    return key


def seen(message: dict[str, Any]) -> str:
    """All that a message says, as it is seen."""
    return text_of(message).replace("\\", "").replace("\u00a0", " ")


def test_one_is_meant_by_its_key_by_that_of_a_round_or_by_its_day(commands: Commands, shown: Shown) -> None:
    latest = embed_of(commands.message("session"))
    for which in ("latest", _key(shown), commands.choices("session", "which")[0]["name"][:10]):
        assert embed_of(commands.message("session", which=which))["title"] == latest["title"]
    newest, first = commands.choices("match", "which")
    assert (
        embed_of(commands.message("match"))["url"] == embed_of(commands.message("match", which=newest["value"]))["url"]
    )
    second = first["value"].replace("-round-1", "-round-2")
    for name, which in (
        ("session", "1999-01-01"),
        ("session", f"{_key(shown)}x"),
        ("match", "x"),
        ("match", second + "x"),
    ):
        message = commands.message(name, which=which)
        assert message["flags"] == 64 and not message["embeds"]
    assert _key(shown) in commands.message("session", which=f"{_key(shown)}x")["content"].replace("\\", "")


def test_who_several_are_or_nobody_is_meant_by_is_told_to_who_asks_alone(commands: Commands) -> None:
    several = commands.message("player", who=".owl")
    assert several["flags"] == 64 and several["content"].count("\n- ") >= 4
    for name, options in (
        ("player", {"who": "nobody of that name"}),
        ("player", {}),
        ("player", {"user": OTHER}),
        ("compare", {"a": ".owl", "b": "x"}),
        ("compare", {}),
        ("balance", {"players": ".owl, x"}),
        ("balance", {"players": "nobody, of that name"}),
        ("balance", {}),
        ("map", {"map": "nowhere"}),
        ("map", {}),
        ("records", {"map": "nowhere"}),
        ("top", {"board": "nothing"}),
        ("top", {"period": "12"}),
        ("session", {"part": "x"}),
        ("nothing", {}),
    ):
        message = commands.message(name, **options)
        assert message["flags"] == 64 and message["content"] and not message["embeds"], name


def test_teams_are_those_of_the_page_and_one_player_more_can_be_chosen_while_names_are_typed(
    commands: Commands, shown: Shown, people: list[str]
) -> None:
    embed = embed_of(commands.message("balance", players=" ".join(people[:4]), apart=",".join(people[:2])))
    page = seen_text(shown.client.get(embed["url"].removeprefix(OWN)))
    assert len(embed["fields"]) == 2  # of three ways, one has both in one team
    for field in embed["fields"]:
        for line in field["value"].splitlines()[::2]:  # below each team: when these were in one
            one, other = re.findall(r"\*\*(.+?)\s\(new\)\*\*", line.replace("\\", ""))
            assert " ".join(f"{one} new , {other} new".split()) in " ".join(page.split())
    assert text_of(embed).count("(new)") == 2 * 4 and "so they are shared out first" in page
    everybody_there = embed_of(commands.message("balance", players="," * 200 + ",".join(people[:4])))
    assert everybody_there["title"] == "Even teams of 4 players"  # however long it takes to name them
    typed = f"{people[0]},{people[1]}"
    found = commands.choices("balance", "players", f"{typed},")
    assert found[0]["value"] == f"{typed},{people[2]}" and all(own["value"].startswith(typed) for own in found)
    assert not any(own["value"].endswith(f",{guid}") for own in found for guid in people[:2])
    assert commands.choices("balance", "players")[0]["value"] == people[0]


def test_what_somebody_typed_is_shown_as_it_is_and_does_nothing(commands: Commands) -> None:
    for typed in ("@everyone **x** <@1> [a](https://x.example) `c`", "‮" + "x" * 90, "á̂̃" * 40, "\u0000", "```"):
        message = commands.message("player", who=typed)
        assert refusals(Call(message, {})) == {}
        assert not re.search(r"(?<!\\)[*`@<\[|]", message["content"]), message["content"]


def test_a_player_who_is_used_from_the_menu_is_who_is_linked(commands: Commands) -> None:
    answer = commands.call(2, {"type": 2, "name": "player", "target_id": OTHER}).json()
    assert answer["data"]["flags"] == 64 and "not linked" in answer["data"]["content"]


def test_the_picture_is_shown_where_discord_can_fetch_it(shown: Shown) -> None:
    with commands_on(shown.pipeline.database, site_address="https://stats.example.org") as public:
        embed = embed_of(public.message("session"))
        assert re.fullmatch(re.escape(f"{embed['url']}/card.png?v=") + "[0-9]+", embed["image"]["url"])
        assert shown.client.get(embed["image"]["url"].removeprefix("https://stats.example.org")).status_code == 200
        assert embed["url"].startswith("https://stats.example.org/sessions/")
        assert "image" not in embed_of(public.message("session", part="players"))


def test_a_board_is_turned_by_its_buttons(commands: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(players, "PLACES", 3)
    monkeypatch.setattr(players, "threshold", lambda board: threshold(board, 1))
    first = commands.message("top", board="kd", period="90")
    back, on = first["components"][0]["components"]
    assert back["disabled"] and not on["disabled"]
    turned = commands.pressed(on["custom_id"])
    assert turned["type"] == 7 and "`" + " 4`" in text_of(turned["data"]) and "` 1`" not in text_of(turned["data"])
    again = commands.pressed(turned["data"]["components"][0]["components"][0]["custom_id"])
    assert again["data"]["embeds"][0]["fields"] == first["embeds"][0]["fields"]
    last = commands.pressed("top/kd/90/9999/")["data"]
    assert last["components"][0]["components"][1]["disabled"]
    for old in ("top/kd/90", "top/nothing/90/1/", "top/kd/90/x/", "top/kd/90/1/nowhere", "", "x/kd/90/1/"):
        refused = commands.pressed(old)
        assert refused["type"] == 4 and refused["data"]["flags"] == 64


def test_choices_fit_and_are_those_that_are_meant(commands: Commands, people: list[str]) -> None:
    for name, option in (("session", "which"), ("match", "which"), ("player", "who"), ("compare", "b"), ("top", "map")):
        for typed in ("", "o", "x" * 200, "\u0000"):
            found = commands.choices(name, option, typed)
            assert len(found) <= 25
            assert all(0 < len(own["name"]) <= 100 and 0 < len(own["value"]) <= 100 for own in found)
    (alone,) = commands.choices("player", "who", people[0][:6])
    assert alone["value"] == people[0] and people[0][:4] in alone["name"] and " round" in alone["name"]
    assert commands.choices("status", "nothing") == []
    many = choices([("n" * 300, str(number)) for number in range(60)] + [("no value", "")])
    assert len(many["choices"]) == 25 and len(many["choices"][0]["name"]) == 100


def test_what_one_message_does_not_hold_is_left_to_the_page_and_the_footer_fits() -> None:
    fields = tuple(Field("f" * 100, "v" * 900) for _ in range(8))
    for room in range(40):  # the fields end anywhere before the limit
        embed = Embed("t" * 256, "d" * (600 + room), fields=fields, footer="k" * 100)
        message = body(Reply(Message(embeds=(embed,)), "https://stats.example.org/x", believed="trust grade A"))
        assert refusals(Call(message, {})) == {} and message["content"]
        assert message["embeds"][0]["footer"]["text"].endswith("k · trust grade A")
        assert message["embeds"][0]["url"] == "https://stats.example.org/x"


def test_everybody_is_read_once_for_each_version_of_the_data(
    commands: Commands, shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []

    def reads(conn: psycopg.Connection[Any]) -> list[PlayerListed]:
        read.append(conn)
        return everybody(conn)

    monkeypatch.setattr(choosing, "everybody", reads)
    with commands_on(shown.pipeline.database) as anew:
        for typed in ("", "o", "ow"):
            assert anew.choices("player", "who", typed) == commands.choices("player", "who", typed)
    assert len(read) == 1


def test_the_registered_body_keeps_to_discords_limits() -> None:
    body = registration()
    assert len(body) <= 100
    assert len({(own["type"], own["name"]) for own in body}) == len(body)
    assert {own["name"] for own in body if own["type"] == 1} == set(CommandName)
    for command in body:
        assert re.fullmatch(r"[-_a-z0-9]{1,32}", command["name"]) and len(json.dumps(command)) < 8000
        if command["type"] == 2:
            assert "description" not in command and "options" not in command
            continue
        options = command["options"]
        assert 1 <= len(command["description"]) <= 100 and len(options) <= 25
        required = [option.get("required", False) for option in options]
        assert required == sorted(required, reverse=True), "required options come first"
        assert len({option["name"] for option in options}) == len(options)
        for option in options:
            assert re.fullmatch(r"[-_a-z0-9]{1,32}", option["name"]) and 1 <= len(option["description"]) <= 100
            assert len(option.get("choices", ())) <= 25 and not ("choices" in option and "autocomplete" in option)
            assert all(len(own["name"]) <= 100 and len(own["value"]) <= 100 for own in option.get("choices", ()))
    assert [len(own.options) for own in COMMANDS if own.name is CommandName.TOP] == [3]
    assert [period.days for period in Period] == [None, 90, 30, 7]


@pytest.fixture(scope="module")
def own_evening(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Pipeline, Commands]]:
    """An evening that tests of this module decide something about, each about players of its own."""
    with (
        copied_database(postgres_server, migrated_template) as database,
        open_pipeline(database, tmp_path_factory.mktemp("own")) as pipeline,
        commands_on(database) as commands,
    ):
        play_and_tell(pipeline, maps=1)
        yield pipeline, commands


def test_who_asks_to_be_linked_is_once_an_admin_says_so(own_evening: tuple[Pipeline, Commands]) -> None:
    pipeline, commands = own_evening
    one, another = (choice["value"] for choice in commands.choices("player", "who")[:2])
    assert commands.message("player")["flags"] == 64
    for who in (another, one):  # the latest wish stands
        message = commands.message("link", who=who)
        assert message["flags"] == 64 and who in message["content"]
    listed = pipeline.slomix("identity", "requests").stdout
    assert one in listed and another not in listed and SOMEBODY in listed
    assert commands.message("player")["flags"] == 64, "a wish alone links nobody"

    pipeline.slomix("identity", "link", one, SOMEBODY, "--why", "he said so", "--by", "admin")
    assert "Nobody waits" in pipeline.slomix("identity", "requests").stdout
    for own in (
        commands.message("player"),
        commands.message("player", user=SOMEBODY),
        commands.call(2, {"type": 2, "name": "player", "target_id": SOMEBODY}, OTHER).json()["data"],
    ):
        assert embed_of(own)["footer"]["text"] == one
        assert SOMEBODY not in text_of(own)
    assert "already" in commands.message("link", who=one)["content"]
    assert "another player" in commands.message("link", who=another)["content"]
    assert "Nobody waits" in pipeline.slomix("identity", "requests").stdout

    taken = pipeline.slomix("identity", "unlink", one, "--why", "he said so", "--by", "admin")
    assert taken.exit_code == 0 and SOMEBODY in taken.stdout
    assert commands.message("player")["flags"] == 64
    assert pipeline.slomix("identity", "unlink", one, "--why", "again").exit_code == 2
    commands.message("link", who=one)
    assert pipeline.slomix("identity", "requests", "--drop", SOMEBODY).exit_code == 0
    assert pipeline.slomix("identity", "requests", "--drop", SOMEBODY).exit_code == 2


def test_why_a_session_ended_so_is_said_once(own_evening: tuple[Pipeline, Commands]) -> None:
    pipeline, commands = own_evening
    match = commands.choices("match", "which")[0]["value"]
    with pipeline.database.connect() as conn:
        (row,) = conn.execute("select r2_key from match where match_key = %s", [match]).fetchall()
    pipeline.slomix("override", "winner", row["r2_key"], "draw", "--why", "seen on a demo", "--by", "ref")
    why, result = (commands.message("session", part=part) for part in ("why", "result"))
    assert seen(why).count("seen on a demo") == 1 and "decided by a person" in seen(why)
    assert seen(result).count("seen on a demo") == 1
    assert "seen on a demo" in seen(commands.message("match", part="why"))


def test_nobody_is_told_of_who_wished_to_be_hidden(own_evening: tuple[Pipeline, Commands]) -> None:
    pipeline, commands = own_evening
    chosen = commands.choices("player", "who")
    hidden, other = chosen[-1]["value"], chosen[-2]["value"]
    with pipeline.database.connect() as conn:
        found = careers.player_of(conn, hidden)
        assert found is not None
    name = found.name
    on_map = commands.choices("map", "map")[0]["value"]
    pipeline.slomix("identity", "link", hidden, OTHER, "--why", "he said so", "--by", "admin")
    assert name in seen(commands.message("player", user=OTHER))
    answering = {
        f"SLOMIX_{name.upper()}": str(getattr(command_settings(pipeline.database), name)) for name in FOR_COMMANDS
    }
    done = pipeline.slomix("identity", "hide", hidden, "--why", "his wish", "--by", "admin", **answering)
    assert "What slash commands answered before stays" in done.stdout

    others = [other, chosen[-3]["value"]]
    said = [seen(commands.message(command, **options)) for command, options in every_answer(others, on_map)]
    said += [seen(commands.message("player", user=OTHER)), seen(commands.message("link", who="x"))]
    for command, option in (("player", "who"), ("compare", "a"), ("session", "which"), ("match", "which")):
        said += [str(commands.choices(command, option, typed)) for typed in ("", name, hidden[:6], name[:3])]
    assert not [text for text in said if hidden in text or name in text]
    for typed in (hidden, name):
        message = commands.message("player", who=typed)
        assert message["flags"] == 64 and "nobody" in message["content"].lower()


def test_wishes_are_noted_by_a_role_that_can_do_nothing_else(own_evening: tuple[Pipeline, Commands]) -> None:
    pipeline, _ = own_evening
    url = site_url(pipeline.database.url, link_requests.ROLE)
    link_requests.note(url, Wish("300000000000000005", "x" * 200, "AAAAAAAA"))
    with pipeline.database.connect() as conn:
        assert link_requests.trouble_with_role(conn) is None
        assert link_requests.drop(conn, "300000000000000005")
        assert "grant insert on link_request" in link_requests.statements_for_role(conn)
    for forbidden in (
        "select * from link_request",
        "delete from link_request",
        "update link_request set guid = ''",
        "insert into identity_decision (kind, guid, reason, made_by) values ('hide', 'x', 'x', 'x')",
        "select * from site.session",
        "select site.linked_player('1')",
    ):
        with psycopg.connect(url) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(forbidden)
    with pytest.raises(link_requests.NotNoted):
        link_requests.note("postgresql://slomix_link@127.0.0.1:1/nowhere", Wish(SOMEBODY, "x", "AAAAAAAA"))


@pytest.mark.parametrize("address", ["postgresql://slomix_link:a@secret@127.0.0.1/x", "password=secret host"])
def test_of_an_address_that_can_not_be_read_no_part_is_told(address: str) -> None:
    with pytest.raises(link_requests.NotNoted) as refused:
        link_requests.note(address, Wish(SOMEBODY, "x", "AAAAAAAA"))
    assert "secret" not in str(refused.value) and "SLOMIX_LINK_POSTGRES_URL" in str(refused.value)


def test_of_two_wishes_at_once_the_later_one_stands(own_evening: tuple[Pipeline, Commands]) -> None:
    pipeline, _ = own_evening
    url = site_url(pipeline.database.url, link_requests.ROLE)
    user = "300000000000000006"
    with ThreadPoolExecutor(1) as pool:
        with psycopg.connect(url) as first:
            first.execute("insert into link_request values (%s, 'x', 'AAAAAAAA')", [user])
            second = pool.submit(link_requests.note, url, Wish(user, "x", "BBBBBBBB"))
            with pipeline.database.connect() as conn:
                conn.autocommit = True
                until_somebody_waits(conn)
        second.result()
    with pipeline.database.connect() as conn:
        assert [own.guid for own in link_requests.listed(conn) if own.discord_id == user] == ["BBBBBBBB"]
        assert link_requests.drop(conn, user)


def until_somebody_waits(conn: psycopg.Connection[Any]) -> None:
    """Returns when a wish waits for another one to be committed."""
    waiting = "select from pg_stat_activity where application_name = 'slomix link' and wait_event_type = 'Lock'"
    deadline = time.monotonic() + 5
    while not conn.execute(waiting).fetchall():
        assert time.monotonic() < deadline


def test_who_is_linked_and_played_no_round_that_counts_is_told_so(own_evening: tuple[Pipeline, Commands]) -> None:
    pipeline, commands = own_evening
    user = "300000000000000007"
    with pipeline.database.connect() as conn:
        conn.execute(
            """insert into identity_decision (kind, guid, discord_id, reason, made_by)
               values ('link', 'AAAAAAAA', %s, 'x', 'x')""",
            [user],
        )
    for message in (commands.message("player", user), commands.message("player", user=user)):
        assert message["flags"] == 64
        assert "AAAAAAAA, of whom no round counts" in message["content"] and "not linked" not in message["content"]


def test_an_old_picture_is_not_shown_under_a_score_that_was_made_anew(own_evening: tuple[Pipeline, Commands]) -> None:
    pipeline, _ = own_evening
    with (
        commands_on(pipeline.database, site_address="https://stats.example.org") as public,
        pipeline.database.connect() as conn,
    ):
        conn.autocommit = True
        assert "image" in embed_of(public.message("session"))
        (was,) = conn.execute("select scored_at from session").fetchall()
        conn.execute("update session set scored_at = now()")
        assert "image" not in embed_of(public.message("session"))
        conn.execute("update session set scored_at = %s", [was["scored_at"]])


def test_the_pages_role_can_ask_for_a_link_and_list_none(shown: Shown, commands: Commands) -> None:
    with psycopg.connect(site_url(shown.pipeline.database.url, "slomix_web")) as conn:
        assert conn.execute("select site.linked_player('300000000000000003')").fetchone() == (None,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select * from public.link_request")
