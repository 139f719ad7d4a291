"""The examples of ``deploy`` in a real nginx: who is let through to Dagster's UI, and with what; what of the public pages'
process is not for the web."""

import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.runtime.supervisor import free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NAME = "slomix.example.org"
OWN = {"Origin": f"https://{NAME}"}
SOCKET = {"Upgrade": "websocket", "Connection": "Upgrade"}
LOGIN = ("somebody", "a password")

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


class _Behind(BaseHTTPRequestHandler):
    """Stands for Dagster's UI: takes everything, as that does."""

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = f"{self.command} {self.headers.get('Authorization')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815  # the names are the library's

    def log_message(self, *_: object) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Proxy:
    port: int

    def ask(
        self,
        path: str = "/",
        method: str = "GET",
        *,
        host: str = NAME,
        login: tuple[str, str] | None = LOGIN,
        headers: dict[str, str] | None = None,
    ) -> int:
        answer = requests.request(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            auth=login,
            headers={"Host": host} | (headers or {}),
            timeout=10,
        )
        if answer.status_code == 200:
            assert answer.text == f"{method} None"  # the login stays here
        return answer.status_code


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "users").write_text("{}:{{PLAIN}}{}\n".format(*LOGIN))
    users = (r"/etc/nginx/slomix\.users", f"{folder}/users")
    with running(folder, "nginx.conf", 3000, users) as port:
        yield Proxy(port)


@contextmanager
def running(folder: Path, example: str, stands_for: int, *changes: tuple[str, str]) -> Iterator[int]:
    """An example as it is, but for a certificate, its ports and some changes. Gives the port where nginx listens."""
    behind = ThreadingHTTPServer(("127.0.0.1", 0), _Behind)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    port, plain = free_port(0), free_port(0)
    text = (bundled_folder("deploy") / example).read_text()
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};")
    for pattern, changed in (
        (r"listen 443 ssl", f"listen 127.0.0.1:{port}"),
        (r"\n\s+ssl_\w+ [^;]+;", ""),
        (rf"127\.0\.0\.1:{stands_for}", f"127.0.0.1:{behind.server_port}"),
        *changes,
    ):
        text, times = re.subn(pattern, changed, text)
        assert times, pattern
    as_ourselves = "user root;" if os.geteuid() == 0 else ""  # who else can't enter pytest's folder
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    inside = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; {as_ourselves} pid {folder}/pid; events {{}}\nhttp {{ access_log off; {inside}\n{text}\n}}\n"
    )
    server = subprocess.Popen([NGINX or "", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"])
    try:
        for _ in range(200):
            assert server.poll() is None, (folder / "error.log").read_text()
            if (folder / "pid").exists() and (folder / "pid").read_text():
                break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait(10)
        behind.shutdown()
        behind.server_close()


def test_the_ui_works_for_who_logs_in(proxy: Proxy) -> None:
    assert proxy.ask("/runs") == 200
    assert proxy.ask("/graphql", "POST", headers=OWN) == 200
    assert proxy.ask("/graphql", headers=OWN | SOCKET) == 200


def test_nobody_gets_in_without_login_or_under_another_name(proxy: Proxy) -> None:
    assert proxy.ask(login=None) == 401
    assert proxy.ask(login=("somebody", "a guess")) == 401
    assert proxy.ask("/graphql", "POST", login=None) == 401
    for host in ("elsewhere.example.org", "127.0.0.1", f"127.0.0.1:{proxy.port}", f"x.{NAME}"):
        assert proxy.ask(host=host) == 421


@pytest.mark.parametrize("path", ["/graphql", "//graphql", "/x/../graphql", "/%67raphql"])
def test_a_link_changes_nothing(proxy: Proxy, path: str) -> None:
    assert proxy.ask(f"{path}?query=mutation+%7Bx%7D", headers={"Accept": "*/*"}) in (400, 405)


@pytest.mark.parametrize("origin", ["https://elsewhere.example.org", "null", f"http://{NAME}", f"https://{NAME}.evil"])
def test_another_page_does_not_act_with_somebodys_login(proxy: Proxy, origin: str) -> None:
    assert proxy.ask("/graphql", "POST", headers={"Origin": origin}) == 403
    assert proxy.ask("/graphql", headers={"Origin": origin} | SOCKET) == 403


def test_nothing_else_takes_changes(proxy: Proxy) -> None:
    assert proxy.ask("/report_asset_materialization/raw_stats_file", "POST") == 403
    assert proxy.ask("/runs", "POST") == 403
    assert proxy.ask("/runs", "DELETE") == 403


def test_what_is_internal_of_the_pages_is_not_on_the_web(tmp_path: Path) -> None:
    with running(tmp_path, "nginx-site.conf", 3090) as port:
        pages = Proxy(port)
        there, not_there = (
            ("/", "/players", "/internals"),
            ("/internal/metrics", "//internal/metrics", "/internal%2Fmetrics"),
        )
        assert [pages.ask(path, host="stats.example.org", login=None) for path in there] == [200] * 3
        assert [pages.ask(path, host="stats.example.org", login=None) for path in not_there] == [404] * 3
