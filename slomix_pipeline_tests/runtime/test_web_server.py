"""The door before Dagster's UI: who gets through, and with what; on the application that is served."""

from collections.abc import Iterator

import pytest
from dagster import instance_for_test
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import EmptyWorkspaceTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from slomix_pipeline.runtime.web_server import guarded

HERE = "http://127.0.0.1:3000"
QUESTION = {"query": "{ version }"}
CHANGE = {
    "query": 'mutation { logTelemetry(action: "x", clientTime: "1", clientId: "x", metadata: "{}") { __typename } }'
}


@pytest.fixture(scope="module")
def ui() -> Iterator[TestClient]:
    with (
        instance_for_test() as instance,
        WorkspaceProcessContext(instance, EmptyWorkspaceTarget()) as context,
        TestClient(
            guarded(create_app_from_workspace_process_context(context), ["ui.example.org"]), base_url=HERE
        ) as client,
    ):
        yield client


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:8080", "ui.example.org"])
def test_the_ui_answers_under_its_names(ui: TestClient, host: str) -> None:
    assert ui.get("/server_info", headers={"host": host}).status_code == 200
    own = {"host": host, "origin": f"http://{host}"}
    assert "version" in ui.post("/graphql", json=QUESTION, headers=own).json()["data"]


@pytest.mark.parametrize(
    "host", ["evil.example.org", "127.0.0.1.evil.example.org", "ui.example.org.evil", "192.168.0.2"]
)
def test_a_name_that_was_made_to_point_here_is_refused(ui: TestClient, host: str) -> None:
    for answer in (
        ui.get("/runs", headers={"host": host}),
        ui.post("/graphql", json=QUESTION, headers={"host": host, "origin": f"http://{host}"}),
    ):
        assert answer.status_code == 400 and "data" not in answer.text
    with (
        pytest.raises(WebSocketDisconnect),
        ui.websocket_connect("ws://127.0.0.1:3000/graphql", headers={"host": host}),
    ):
        pass


@pytest.mark.parametrize(
    "said",
    [
        {"origin": "https://evil.example.org"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},  # another server of this machine
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": HERE},
    ],
)
def test_the_page_of_another_site_does_not_act(ui: TestClient, said: dict[str, str]) -> None:
    for body in ({"json": CHANGE}, {"params": CHANGE}):  # the latter needs no leave of any browser
        assert ui.post("/graphql", headers=said, **body).status_code == 403
    with pytest.raises(WebSocketDisconnect), ui.websocket_connect("ws://127.0.0.1:3000/graphql", headers=said):
        pass


def test_the_ui_itself_and_programs_act(ui: TestClient) -> None:
    behind_a_proxy = {"origin": "https://slomix.example.org", "sec-fetch-site": "same-origin"}
    for said in ({}, {"origin": HERE}, behind_a_proxy):
        assert ui.post("/graphql", json=QUESTION, headers=said).status_code == 200
        with ui.websocket_connect("ws://127.0.0.1:3000/graphql", headers=said, subprotocols=["graphql-ws"]) as socket:
            socket.send_json({"type": "connection_init"})
            assert socket.receive_json() == {"type": "connection_ack"}


@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "//graphql", "/x/../graphql", "/%67raphql"])
def test_a_link_changes_nothing(ui: TestClient, path: str) -> None:
    answer = ui.get(path, params=CHANGE, headers={"accept": "*/*"})
    assert "logTelemetry" not in answer.text and "__typename" not in answer.text
    assert (
        answer.status_code == 405 or "text/html" in answer.headers["content-type"]
    )  # the page of the UI, as for any path


def test_nothing_is_reported_from_elsewhere(ui: TestClient) -> None:
    assert ui.post("/report_asset_materialization/raw_stats_file", json={}).status_code == 403
