"""What every kind of page and resource of the API takes over a long history: made anew, and answered by 304.

Imports the files of 20,000 rounds made by the simulator, or of as many as are given, finds a few pages of each kind by
following links from the front page and what answers of the API name, and asks for each of them many times: cold, with
nothing of it kept, and with the ETag that the reader has. What plans PostgreSQL makes are kept by then, as in a process
that has run for a while.
Prints one table: milliseconds of CPU, of PostgreSQL and the site together, so that a busy machine tells the same as a
quiet one; and the largest page in kB.

    .venv/bin/python benchmarks/pages.py [rounds]
"""

import re
import sys
import tempfile
import time
from collections.abc import Iterable
from html import unescape
from pathlib import Path
from unittest.mock import patch

from boards import p50, p95
from bulk import MANY_ROUNDS, imported, simulated
from fastapi.testclient import TestClient

from slomix_pipeline.settings import Settings
from slomix_pipeline.site.api import application
from slomix_pipeline.site.api.kit import MOUNTED
from slomix_pipeline.site.api.schema import resources
from slomix_pipeline.site.pages import PAGES
from slomix_pipeline.site.serving import ready_app
from slomix_pipeline.warehouse.database import Database, site_url
from slomix_pipeline.warehouse.site_schema import ROLE
from slomix_pipeline.warehouse.site_store import SiteStore

OF_A_KIND, TIMES, MOST_PAGES = 6, 8, 400
AIM, AIM_304 = 50, 5  # ms
_LINKS = re.compile(r'"(/[^"#]*)')  # of pages and of JSON
# What no link of a page leads to: a field is typed into.
TYPED = (
    "/search?q=a",
    "/compare",
    "/compare?a=a&b=e",
    "/balance?players=.owl snow,.owl hoot,fox|red,fox|kit",
    "/boards/dpm?map=supply",
    "/boards/dpm?find=a",
)


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else MANY_ROUNDS
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        scratch.chmod(0o755)  # the embedded server runs as another user when started by root
        with imported(simulated(scratch / "files", rounds), scratch / "home") as (found, settings, database):
            database.learn_sizes()
            print(f"{found.rounds:,} rounds\n")
            measure(settings, database)


def measure(settings: Settings, database: Database) -> None:
    store = SiteStore(site_url(database.url, ROLE))
    try:
        with patch.object(application, "BURST", 1_000_000):
            app = ready_app(settings, store)
        client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
        kinds = pages_by_kind(client)
        print(f"{'':<34}{'cold p50':>10}{'p95':>8}{'304 p50':>10}{'p95':>8}{'kB':>8}{'pages':>7}", flush=True)
        for kind, urls in kinds.items():
            show(kind, urls, client, database)
        print(f"{'aim':<34}{'':>10}{AIM:>8}{'':>10}{AIM_304:>8}{100:>8}")
    finally:
        store.close()


def pages_by_kind(client: TestClient) -> dict[str, list[str]]:
    """A few addresses of each kind of page that answers at once."""
    of_api = [MOUNTED + route.path for route in resources()]
    kinds: dict[str, list[str]] = {path: [] for path in (*(page.path for page in PAGES if page.template), *of_api)}
    patterns = {path: re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + r"(\?.*)?") for path in kinds}
    waiting, seen = ["/", *TYPED], set[str]()
    while waiting and len(seen) < MOST_PAGES:
        url = waiting.pop(0)
        kind = next((path for path, pattern in patterns.items() if pattern.fullmatch(url)), None)
        if url in seen or kind is None or len(kinds[kind]) >= OF_A_KIND:
            continue
        seen.add(url)
        answer = client.get(url)
        if answer.status_code == 200:
            kinds[kind].append(url)
            waiting += map(unescape, _LINKS.findall(answer.text))
            parts = [path.removeprefix(kind) for path in of_api if path.startswith(f"{kind}/")]
            waiting += [url.partition("?")[0] + part for part in parts if "{" not in part]
        elif answer.is_redirect:
            waiting.append(answer.headers["location"])
    return {kind: urls for kind, urls in kinds.items() if urls}


def show(kind: str, urls: list[str], client: TestClient, database: Database) -> None:
    cold, same, largest = [], [], 0
    made = client.app.state.answers._made  # type: ignore[attr-defined]  # what is kept of pages
    for url in urls:
        tag = client.get(url).headers.get("etag", "")
        for at in range(TIMES + 1):
            made.clear()
            took, size = asked(client, database, url)
            largest = max(largest, size)
            cold += [took] if at else []  # not the first: PostgreSQL plans then
            same += [asked(client, database, url, tag)[0]] if at and tag else []
    known = f"{p50(same):>10.1f}{p95(same):>8.1f}" if same else f"{'':>18}"
    print(f"{kind:<34}{p50(cold):>10.1f}{p95(cold):>8.1f}{known}{largest / 1e3:>8.1f}{len(urls):>7}", flush=True)


def asked(client: TestClient, database: Database, url: str, tag: str = "") -> tuple[float, int]:
    """The milliseconds that a page takes, and its bytes."""
    pids = backends(database)
    began = cpu_seconds(pids)
    answer = client.get(url, headers={"If-None-Match": tag} if tag else {})
    took = cpu_seconds(pids) - began
    assert answer.status_code == (304 if tag else 200), url
    return took * 1000, len(answer.content)


def backends(database: Database) -> list[int]:
    """PostgreSQL's processes behind the pages' connections."""
    with database.connect() as conn:
        rows = conn.execute("select pid from pg_stat_activity where usename = %s", [ROLE])
        return [row["pid"] for row in rows]


def cpu_seconds(pids: Iterable[int]) -> float:
    """What these processes and this one have computed so far; the former by Linux alone."""
    nanoseconds = sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids)
    return nanoseconds / 1e9 + time.process_time()


if __name__ == "__main__":
    main()
