"""What goes wrong with the stand-in on demand looks as it does with Discord, and is over when it is said to be."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from slomix_pipeline.discord.client import Discord, InDoubt, MessageGone, NotSent
from slomix_pipeline.discord.embeds import Message
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.discord.standin_faults import TAKEN, Fault
from slomix_pipeline_tests.kept import served_page

IN_DOUBT = TAKEN | {Fault.RESET, Fault.FAILING}  # of these a client can't know whether the message is there
RESETS = (Fault.RESET, Fault.RESET_AFTER_TAKING)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[StandIn]:
    with served_page(tmp_path) as running:
        yield running


def post(there: StandIn, text: str = "x") -> requests.Response:
    return requests.post(there.webhook_url, json={"content": text}, params={"wait": "true"}, timeout=0.5)


def contents(there: StandIn) -> list[str]:
    return [message["content"] for message in there.messages()]


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_is_seen_once_and_only_some_leave_a_message_behind(there: StandIn, fault: Fault) -> None:
    there.misbehave(fault)
    with pytest.raises(InDoubt if fault in IN_DOUBT else NotSent):
        Discord(there.webhook_url, timeout=0.3 if fault in TAKEN else 10).send(Message("x"))
    assert contents(there) == (["x"] if fault in TAKEN else [])
    Discord(there.webhook_url).send(Message("y"))
    assert contents(there)[-1] == "y"


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_of_an_edit_changes_the_message_only_if_it_is_one_of_those_taken(there: StandIn, fault: Fault) -> None:
    sent = Discord(there.webhook_url).send(Message("old"))
    there.misbehave(fault)
    with pytest.raises((InDoubt, NotSent)):
        Discord(there.webhook_url, timeout=0.3, max_wait=0.3).edit(sent.message_id, Message("new"))
    assert contents(there) == (["new"] if fault in TAKEN else ["old"])


def test_faults_come_in_the_order_in_which_they_were_asked_for(there: StandIn) -> None:
    there.misbehave(Fault.FAILING, Fault.RESET_AFTER_TAKING, Fault.WRONG_TOKEN)
    assert post(there, "1").status_code == 503
    with pytest.raises(requests.ConnectionError):
        post(there, "2")
    assert (post(there, "3").status_code, post(there, "4").status_code) == (401, 200)
    assert contents(there) == ["2", "4"]


@pytest.mark.parametrize("fault", RESETS)
def test_a_reset_is_one_of_the_network_and_spares_other_connections(there: StandIn, fault: Fault) -> None:
    with requests.Session() as other:
        other.get(there.url, timeout=10)
        there.misbehave(fault)
        with pytest.raises(requests.ConnectionError, match="reset by peer"):
            post(there)
        assert other.get(there.url, timeout=10).status_code == 200


def test_a_late_answer_is_for_nobody(there: StandIn) -> None:
    there.misbehave(Fault.LATE_ANSWER)
    with pytest.raises(requests.ReadTimeout):
        post(there)
    assert contents(there) == ["x"]


def test_a_flood_is_limited_and_the_client_brings_all_of_it_through(there: StandIn) -> None:
    there.allow(3, 0.05)
    discord = Discord(there.webhook_url)
    for number in range(10):
        discord.send(Message(str(number)))
    assert contents(there) == [str(number) for number in range(10)]


def test_the_calls_that_are_left_are_counted_down_in_headers(there: StandIn) -> None:
    there.allow(2, 10)
    answers = [post(there) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"2"}
    waits = [float(answer.headers["X-RateLimit-Reset-After"]) for answer in answers]
    assert 10 >= waits[0] >= waits[1] >= waits[2] > 9
    assert "X-RateLimit-Scope" not in answers[0].headers


def test_a_call_too_many_is_told_how_long_to_wait_for_its_bucket(there: StandIn) -> None:
    there.allow(0, 2)
    answer = post(there)
    assert (answer.status_code, answer.json()["global"]) == (429, False)
    assert 1 < answer.json()["retry_after"] <= 2
    assert answer.headers["Retry-After"] == "2", "in whole seconds, and never too few"
    assert answer.headers["X-RateLimit-Scope"] == "user" and "X-RateLimit-Global" not in answer.headers


def test_an_empty_bucket_on_demand_is_empty_for_an_hour(there: StandIn) -> None:
    there.misbehave(Fault.BUCKET_LIMITED)
    answer = post(there)
    assert (answer.status_code, answer.json()["retry_after"], answer.headers["Retry-After"]) == (429, 3600, "3600")
    assert (answer.headers["X-RateLimit-Remaining"], answer.headers["X-RateLimit-Reset-After"]) == ("0", "3600.000")
    assert answer.headers["X-RateLimit-Bucket"] and answer.headers["X-RateLimit-Scope"] == "user"


def test_sending_and_editing_have_buckets_of_their_own(there: StandIn) -> None:
    there.allow(1, 10)
    sent = post(there)
    edited = requests.patch(f"{there.webhook_url}/messages/{sent.json()['id']}", json={"content": "y"}, timeout=10)
    assert edited.status_code == 200
    assert sent.headers["X-RateLimit-Bucket"] != edited.headers["X-RateLimit-Bucket"]
    assert post(there).status_code == 429


@pytest.mark.parametrize("queued", [True, False])
def test_the_global_limit_names_no_bucket(there: StandIn, queued: bool) -> None:
    there.misbehave(Fault.GLOBALLY_LIMITED) if queued else there.limit_globally(3600)
    answer = post(there)
    assert (answer.status_code, answer.json()["global"]) == (429, True)
    assert answer.headers["X-RateLimit-Global"] == "true" and answer.headers["X-RateLimit-Scope"] == "global"
    assert answer.headers["Retry-After"] == "3600" and 3599 < answer.json()["retry_after"] <= 3600
    assert "X-RateLimit-Bucket" not in answer.headers


def test_the_global_limit_holds_for_every_call_until_its_time_is_over(there: StandIn) -> None:
    there.limit_globally(0.2)
    assert requests.get(there.webhook_url, timeout=10).status_code == 429
    began = time.monotonic()
    Discord(there.webhook_url).send(Message("x"))
    assert time.monotonic() - began > 0.1 and contents(there) == ["x"]


def test_a_deleted_webhook_is_gone_for_every_call_until_there_is_a_new_one(tmp_path: Path) -> None:
    with StandIn(tmp_path) as there:
        sent = Discord(there.webhook_url).send(Message("before"))
        there.delete_webhook()
        gone = Discord(there.webhook_url)
        for call in (gone.check, lambda: gone.send(Message("x")), lambda: gone.edit(sent.message_id, Message("x"))):
            with pytest.raises(NotSent, match="check SLOMIX_DISCORD_WEBHOOK") as refused:
                call()
            assert not refused.value.retriable
        assert post(there).json() == {"message": "Unknown Webhook", "code": 10015}
    with StandIn(tmp_path) as there:  # also after a restart
        assert post(there).status_code == 404
        there.replace_webhook()
        Discord(there.webhook_url).send(Message("after"))
        with pytest.raises(MessageGone):
            Discord(there.webhook_url).edit(sent.message_id, Message("x"))
        assert contents(there) == ["before", "after"]
