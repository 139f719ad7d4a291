"""Slash commands typed on the stand-in: signed, answered by the pages over HTTP, and shown as Discord would."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from click.testing import CliRunner

from slomix_pipeline.cli.main import main
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.discord.standin_commands import NoAnswer, _checked
from slomix_pipeline.runtime.simulated_home import answering_stand_in
from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline.site.app import create_app
from slomix_pipeline.site.interactions import endpoint
from slomix_pipeline.site.interactions.commands import registration
from slomix_pipeline.warehouse.database import site_url
from slomix_pipeline.warehouse.site_schema import ROLE
from slomix_pipeline.warehouse.site_store import SiteStore
from slomix_pipeline_tests.interaction_fixtures import command_settings
from slomix_pipeline_tests.kept import served_page
from slomix_pipeline_tests.site_fixtures import Shown


@pytest.fixture(scope="module")
def there(shown: Shown, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A stand-in whose commands are answered of the evening's pages."""
    database, port = shown.pipeline.database, free_port(0)
    store = SiteStore(site_url(database.url, ROLE))
    with served_page(tmp_path_factory.mktemp("discord")) as page:
        app = create_app(answering_stand_in(command_settings(database), page, port), store)
        server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield page
        server.should_exit = True
        thread.join()
        store.close()


def typed(there: StandIn, text: str) -> str:
    """What the page is told when somebody types it; empty: it was answered."""
    return requests.post(f"{there.url}typed", json={"text": text}, timeout=10).text


def test_what_is_typed_is_answered_and_shown(there: StandIn) -> None:
    before = len(there.messages())
    assert typed(there, "/session") == "" and typed(there, "/top K/D period:30") == ""
    session, top = there.messages()[before:]
    assert session["embeds"][0]["footer"]["text"].endswith("trust grade A")
    assert top["embeds"][0]["title"] == "K/D" and "sessions since" in top["embeds"][0]["description"]
    assert typed(there, "/compare .owl x") == "", "several are meant, and that is an answer"
    html = requests.get(f"{there.url}messages", timeout=10).text
    assert "You used /top K/D period:30" in html and "Only you can see this" in html
    assert '<option value="/session">' in requests.get(there.url, timeout=10).text


def test_a_button_is_pressed(there: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from slomix_pipeline.rules.boards import threshold
    from slomix_pipeline.site.interactions import players

    monkeypatch.setattr(players, "PLACES", 3)
    monkeypatch.setattr(players, "threshold", lambda board: threshold(board, 1))
    assert typed(there, "/top kd") == ""
    message = there.messages()[-1]
    own = message["components"][0]["components"][1]
    html = requests.get(f"{there.url}messages", timeout=10).text
    assert f'data-id="{own["custom_id"]}"' in html and "disabled>Places before" in html
    pressed = {"message": message["id"], "id": own["custom_id"]}
    assert requests.post(f"{there.url}pressed", json=pressed, timeout=10).status_code == 204
    turned = there.messages()[-1]
    assert turned["id"] == message["id"] and turned["embeds"] != message["embeds"]


def test_what_is_no_command_or_comes_from_elsewhere_is_not_sent(there: StandIn) -> None:
    before = len(there.messages())
    assert "There is no command" in typed(there, "hello") and "There is no command" in typed(there, "/nothing")
    form = requests.post(f"{there.url}typed", data='{"text": "/session"}', timeout=10)  # as another page could
    assert form.status_code == 400 and len(there.messages()) == before


def test_an_answer_that_takes_longer_comes_behind_the_first(there: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "AT_ONCE_WITHIN", 0)
    assert typed(there, "/status") == ""
    message_id = there.messages()[-1]["id"]
    deadline = time.monotonic() + 10
    while not (message := next(own for own in there.messages() if own["id"] == message_id))["embeds"]:
        assert time.monotonic() < deadline, "it is never told"
        time.sleep(0.02)
    assert message["content"] == "" and message["edited_timestamp"]


def test_why_there_is_none_comes_later_in_place_of_the_first(there: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "AT_ONCE_WITHIN", 0)
    before = [own["id"] for own in there.messages()]
    assert typed(there, "/player nobody of that name") == ""
    deadline = time.monotonic() + 10
    while [own["flags"] for own in there.messages() if own["id"] not in before] != [64]:
        assert time.monotonic() < deadline, there.messages()
        time.sleep(0.02)


SAFE = {"content": "x", "allowed_mentions": {"parse": []}}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"content": "x"}, "would ping"),
        (SAFE | {"allowed_mentions": {"parse": ["everyone"]}}, "would ping"),
        (SAFE | {"content": ""}, "empty"),
        (SAFE | {"content": "😀" * 1001}, "2000"),
        (SAFE | {"components": [{"components": [{"custom_id": "x" * 101}]}]}, "too long"),
        (None, "refuse"),
    ],
)
def test_what_discord_would_not_take_or_would_ping_somebody_is_refused(body: Any, why: str) -> None:
    _checked(SAFE)
    with pytest.raises(NoAnswer, match=why):
        _checked(body)


def register(page: StandIn, *arguments: str, **changed: str) -> tuple[int, str]:
    settings = {
        "SLOMIX_DISCORD_APPLICATION_ID": page.application.id,
        "SLOMIX_DISCORD_PUBLIC_KEY": page.application.public_key,
        "SLOMIX_DISCORD_GUILD": page.application.guild,
        "SLOMIX_DISCORD_BOT_TOKEN": page.application.bot_token,
        "SLOMIX_DISCORD_API": page.api_url,
    }
    result = CliRunner().invoke(main, ["discord", "register", *arguments], env=settings | changed)
    assert page.application.bot_token not in result.output and "wrong-token" not in result.output
    return result.exit_code, result.output


def test_commands_are_registered_and_refusals_say_what_to_do(tmp_path: Path) -> None:
    with served_page(tmp_path) as page:
        code, said = register(page, "--dry-run", SLOMIX_DISCORD_BOT_TOKEN="")
        assert code == 0 and '"name": "session"' in said and page.application.commands == []
        assert register(page, SLOMIX_DISCORD_BOT_TOKEN="wrong-token") == (
            1,
            "slomix: Discord does not take SLOMIX_DISCORD_BOT_TOKEN: copy it anew from the application's page, Bot\n",
        )
        code, said = register(page, SLOMIX_DISCORD_GUILD="200000000000000009")
        assert code == 1 and "applications.commands" in said
        code, said = register(page, SLOMIX_DISCORD_GUILD="", SLOMIX_DISCORD_BOT_TOKEN="")
        assert code == 1 and "set SLOMIX_DISCORD_GUILD, SLOMIX_DISCORD_BOT_TOKEN first" in said
        code, said = register(page, SLOMIX_DISCORD_BOT_TOKEN="wrong-token\nX: y")
        assert code == 1 and "can't be sent" in said and "SLOMIX_DISCORD_BOT_TOKEN" in said
        assert page.application.commands == []
        code, said = register(page, SLOMIX_SITE_ADDRESS="https://stats.example.org")
        assert code == 0 and "https://stats.example.org/discord/interactions" in said
        assert page.application.commands == registration()
