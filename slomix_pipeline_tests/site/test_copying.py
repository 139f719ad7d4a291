"""The copy of the pages as files: every link leads to a file, a second run replaces its own files and no others."""

import re
from collections.abc import Iterator
from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest

from slomix_pipeline.actions.copy_site import LIST, NotOurs, Summary, _Folder, copy_site
from slomix_pipeline.settings import Settings, load_settings
from slomix_pipeline.site.copying import file_of, rewritten
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse.database import site_url
from slomix_pipeline.warehouse.site_schema import ROLE
from slomix_pipeline_tests.site_fixtures import Shown

_MAPS = ["a/b", "..", "x.png", "a=2Fb"]  # what whoever names a map may call it
_LINKS = re.compile(r'\s(?:href|src)="([^"]*)"')


@pytest.fixture(scope="module")
def settings(shown: Shown) -> Settings:
    shown.pipeline.facts_hold = False
    with shown.pipeline.database.transaction() as conn:
        conn.execute(
            "insert into session_map select session_key, name, last_played_at from session_map, unnest(%s::text[]) name",
            [_MAPS],
        )
    return load_settings(site_postgres_url=site_url(shown.pipeline.database.url, ROLE))


@pytest.fixture(scope="module")
def copy(shown: Shown, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Summary]]:
    folder = tmp_path_factory.mktemp("copy") / "new"
    progress: list[str] = []
    yield folder, copy_site(settings, folder, lambda what, done, of: progress.append(what))
    assert len(progress) > 20


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_every_link_of_the_copy_leads_to_a_file_of_it(copy: tuple[Path, Summary]) -> None:
    folder, summary = copy
    pages = list(folder.rglob("*.html"))
    assert len(files(folder)) == summary.files + 1 and len(pages) > 20
    for page in pages:
        for link in map(unescape, _LINKS.findall(page.read_text("utf-8"))):
            if link.startswith(("data:", "#")):
                continue
            target = (page.parent / link.split("#")[0]).resolve()
            assert target.is_file() and target.is_relative_to(folder.resolve()), f"{page.name}: {link}"


def test_the_copy_asks_for_nothing_that_a_folder_can_not_answer(copy: tuple[Path, Summary]) -> None:
    folder, _ = copy
    for page in folder.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r'<form|127\.0\.0\.1|\s(?:href|src|action)="/|\?', re.sub(r">[^<]*<", "><", text)), page
    assert [name for name in files(folder) if name.startswith(("search", "status")) or ":" in name or "?" in name] == []


def test_the_copy_holds_every_session_match_round_and_player(shown: Shown, copy: tuple[Path, Summary]) -> None:
    there = files(copy[0])
    for table, key, kind in (
        ("session", "session_key", "sessions"),
        ("match", "match_key", "matches"),
        ("round", "round_key", "rounds"),
    ):
        keys = [row["key"] for row in shown.pipeline.rows(f"select {key} as key from {table}")]
        assert [own for own in keys if file_of(f"/{kind}/{own}") not in there] == []
    assert {"index.html", "records.html", "maps.html", "seasons.html", "metrics.html", "about.html"} <= there


def test_a_map_of_any_name_has_its_page_and_its_file(shown: Shown, copy: tuple[Path, Summary]) -> None:
    assert copy[1].missed == ()
    for name in _MAPS:
        page = shown.client.get(url_of("maps", name))
        assert page.status_code == 200 and f"<h1>{name}</h1>" in page.text
        assert f"<h1>{name}</h1>" in (copy[0] / file_of(url_of("maps", name))).read_text("utf-8")


def test_a_second_run_replaces_its_own_files_and_touches_no_others(
    settings: Settings, tmp_path: Path, copy: tuple[Path, Summary]
) -> None:
    folder = copy[0]
    (folder / "mine.txt").write_text("mine")
    (folder / "sessions" / "old.html").write_text("old")
    (folder / "sessions" / "changed.html").write_text("changed since")
    (folder / "about.html").write_text("changed, too")
    listed = (folder / LIST).read_text()
    digest = sha256(b"old").hexdigest()
    (folder / LIST).write_text(f"{listed}{digest}  sessions/old.html\n{digest}  sessions/changed.html\n")
    for removed in (1, 0):
        summary = copy_site(settings, folder, lambda *_: None)
        assert (summary.removed, summary.left) == (removed, ("about.html", "sessions/changed.html"))  # every time
        assert summary.is_whole
    assert "sessions/old.html" not in files(folder) and (folder / "mine.txt").read_text() == "mine"
    assert (folder / "about.html").read_text() == "changed, too"
    assert sorted((folder / LIST).read_text().splitlines()) == sorted(
        [*listed.splitlines(), f"{digest}  sessions/changed.html"]
    )


def test_a_page_of_a_player_that_somebody_changed_and_that_is_no_more_makes_the_copy_fail(tmp_path: Path) -> None:
    (tmp_path / "players").mkdir()
    (tmp_path / "players" / "GONE.html").write_text("changed since")
    (tmp_path / LIST).write_text(f"{sha256(b'as it was').hexdigest()}  players/GONE.html\n")
    summary = _Folder(tmp_path).cleared()
    assert summary.left == ("players/GONE.html",) and not summary.is_whole


def test_nothing_is_written_or_taken_away_outside_of_the_folder(tmp_path: Path) -> None:
    folder, outside = tmp_path / "copy", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    (outside / "own.html").write_text("own")
    (folder / "maps").symlink_to(outside)
    (folder / LIST).write_text(f"{sha256(b'own').hexdigest()}  ../outside/own.html\n")
    with pytest.raises(NotOurs, match="leads out"):
        _Folder(folder).write("maps/new/one.html", b"")
    assert _Folder(folder).cleared().removed == 0
    assert [path.name for path in outside.iterdir()] == ["own.html"]


def test_a_run_that_was_broken_off_is_gone_on_with(
    settings: Settings, tmp_path: Path, copy: tuple[Path, Summary]
) -> None:
    def stop(what: str, done: int, of: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_site(settings, tmp_path, stop)
    assert 0 < len(files(tmp_path)) < 10
    assert copy_site(settings, tmp_path, lambda *_: None).files == copy[1].files


def test_a_file_of_somebody_else_is_in_the_way(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(NotOurs, match=r"index\.html is there"):
        copy_site(settings, tmp_path, lambda *_: None)
    assert (tmp_path / "index.html").read_text() == "mine"


@pytest.mark.parametrize("name", ["..", ".", "a/b", "con:x", "%00", "ä<b>", "=3A", "x" * 300, "..%2F"])
def test_no_name_leaves_the_folder_and_no_two_share_a_file(name: str) -> None:
    file = file_of(url_of("maps", name))
    assert re.fullmatch(r"maps/[A-Za-z0-9_=-][A-Za-z0-9._=-]*\.html", file) and "/.." not in file and len(file) < 130
    assert file != file_of(url_of("maps", name + "x"))


def test_a_link_to_what_is_left_out_becomes_text_and_a_receipt_its_round() -> None:
    page = (
        '<a href="/sessions?map=x">x</a> <a href="/sessions?before=m:1">Older</a> <a href="/search">s</a> '
        '<a href="/rounds/m:1?player=A#player">round</a>'
    )
    text, found = rewritten(page, "/sessions/m:2")
    assert text == (
        '<a>x</a> <a href="../sessions=3Fbefore=3Dm=3A1.html">Older</a> <a>s</a> <a href="../rounds/m=3A1.html">round</a>'
    )
    assert found == ["/sessions?before=m:1", "/rounds/m:1"]


def test_who_is_hidden_while_the_copy_is_written_is_not_in_it(
    shown: Shown, settings: Settings, tmp_path: Path, copy: tuple[Path, Summary]
) -> None:
    guid = next(name for name in files(copy[0]) if name.startswith("players/"))[8:16]
    name = re.search("<h1>(.*?)</h1>", (copy[0] / "players" / f"{guid}.html").read_text("utf-8"))
    assert name is not None
    done: list[int] = []

    def hide(what: str, at: int, of: int) -> None:
        if at == 30 and not done:
            done.append(at)
            with shown.pipeline.database.transaction() as conn:
                conn.execute(
                    """insert into identity_decision (kind, guid, name, reason, made_by)
                       values ('hide', %s, 'Hidden', 'he asked', 'admin')""",
                    [guid],
                )

    copy_site(settings, tmp_path, hide)
    assert done and f"players/{guid}.html" not in files(tmp_path)
    assert [path for path in tmp_path.rglob("*.html") if f">{name[1]}<" in path.read_text("utf-8")] == []
