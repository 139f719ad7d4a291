"""``slomix lua``: what is said of the scripts on the game server, and what a deployment does there and leaves alone."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from slomix_pipeline.actions import lua_scripts
from slomix_pipeline.actions.lua_scripts import CONFIG, TIMING_SCRIPT, carry_out, plan, status
from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.cli.main import main
from slomix_pipeline.gameserver.choose import open_game_server
from slomix_pipeline.gameserver.local import LocalFolder
from slomix_pipeline.gameserver.source import GameServer, PermanentError, TransientError
from slomix_pipeline.reports.findings import Finding
from slomix_pipeline.settings import load_settings
from slomix_pipeline.simulator.sftp_server import SftpServer

NOW = datetime(2026, 2, 2, 21, 13, 52, tzinfo=UTC)
SECRET = "https://example.invalid/hook/t0ken"
OLD = f'local modname = "stats_discord_webhook"\nlocal version = "1.6.2"\nlocal url = "{SECRET}"\n'.encode()
OURS = b'--[[ X.lua ]]\nlocal VERSION = "%s"\net.G_LogPrint("slomix_x: version " .. VERSION)\n'


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's scripts, as these tests want them: the timing script and two for servers without c0rnp0rn."""
    folder = tmp_path / "ours"
    folder.mkdir()
    for name, version in ((TIMING_SCRIPT, b"2.0.0"), ("gamestats.lua", b"1.1.0"), ("endstats.lua", b"1.0.0")):
        (folder / name).write_bytes((OURS % version).replace(b"X.lua", name.encode()))
    monkeypatch.setattr(lua_scripts, "bundled_folder", lambda _: folder)
    return folder


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """The game server's folder of scripts, c0rnp0rn's among them."""
    folder = tmp_path / "server" / "legacy"
    folder.mkdir(parents=True)
    (folder / "c0rnp0rn8.lua").write_text("-- writes gamestats/")
    (folder / CONFIG).write_text(f'return {{ webhook_url = "{SECRET}" }}')
    return folder


@pytest.fixture(params=["folder", "sftp"])
def server(request: pytest.FixtureRequest, there: Path) -> Iterator[GameServer]:
    if request.param == "folder":
        yield LocalFolder(there.parent)
        return
    with SftpServer(there.parent, "collector", "pass") as running:
        settings = load_settings(
            sftp_host="127.0.0.1",
            sftp_port=running.port,
            sftp_user="collector",
            sftp_password="pass",
            sftp_host_key=running.host_key_fingerprint,
        )
        with open_game_server(settings) as source:
            yield source


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def findings(server: GameServer) -> dict[str, Finding]:
    return {finding.what: finding for finding in status(server, "legacy")}


def older(script: Path) -> bytes:
    """An earlier version of one of our scripts."""
    return script.read_bytes().replace(b'VERSION = "', b'VERSION = "0.')


def deploy(server: GameServer, *names: str) -> list[str]:
    steps = plan(server, "legacy", names, NOW)
    for step in steps:
        carry_out(server, "legacy", step)
    return [step.script.name for step in steps]


# --- the scripts themselves ---


@pytest.mark.parametrize("path", sorted(bundled_folder("lua").glob("*.lua")), ids=lambda path: path.name)
def test_every_script_of_ours_says_so_and_names_its_version(path: Path) -> None:
    """By this a later deployment knows it again."""
    assert lua_scripts._MARK_OF_OURS.search(path.read_bytes())
    assert lua_scripts._version_and_hash(path.read_bytes()).startswith("version ")


def test_the_timing_script_is_among_ours() -> None:
    assert (bundled_folder("lua") / TIMING_SCRIPT).is_file()
    assert (bundled_folder("lua") / f"{CONFIG}.example").is_file()


# --- status ---


def test_on_a_bare_server_only_the_timing_script_and_its_options_are_missing(
    server: GameServer, ours: Path, there: Path
) -> None:
    (there / CONFIG).unlink()
    found = findings(server)
    assert {name for name, finding in found.items() if not finding.fine} == {TIMING_SCRIPT, CONFIG}
    assert "not there" in found[TIMING_SCRIPT].text and "slomix lua deploy" in found[TIMING_SCRIPT].fix
    assert "slomix_config.lua.example" in found[CONFIG].fix and "server_id" in found[CONFIG].fix
    for optional in ("gamestats.lua", "endstats.lua"):
        assert "only needed on a server without c0rnp0rn (c0rnp0rn8.lua lies there)" in found[optional].text


def test_the_same_script_is_told_as_the_same(server: GameServer, ours: Path, there: Path) -> None:
    shutil.copy(ours / TIMING_SCRIPT, there)
    found = findings(server)
    assert all(finding.fine for finding in found.values())
    digest = hashlib.sha256((ours / TIMING_SCRIPT).read_bytes()).hexdigest()
    assert found[TIMING_SCRIPT].text == f"same, version 2.0.0 (sha256 {digest[:12]})"


def test_a_script_that_differs_is_told_with_both_versions_and_hashes(
    server: GameServer, ours: Path, there: Path
) -> None:
    (there / TIMING_SCRIPT).write_bytes(OLD)
    finding = findings(server)[TIMING_SCRIPT]
    assert not finding.fine
    assert (
        f"version 1.6.2 (sha256 {hashlib.sha256(OLD).hexdigest()[:12]}) there, version 2.0.0 (sha256 " in finding.text
    )


def test_line_ends_changed_on_the_way_differ_although_the_version_is_the_same(
    server: GameServer, ours: Path, there: Path
) -> None:
    (there / TIMING_SCRIPT).write_bytes((ours / TIMING_SCRIPT).read_bytes().replace(b"\n", b"\r\n"))
    finding = findings(server)[TIMING_SCRIPT]
    assert not finding.fine
    assert finding.text.count("version 2.0.0") == 2


def test_somebody_elses_script_of_the_same_name_is_left_alone(server: GameServer, ours: Path, there: Path) -> None:
    shutil.copy(ours / TIMING_SCRIPT, there)
    (there / "endstats.lua").write_bytes(b'-- awards of somebody else\nlocal version = "3.1"\n')
    finding = findings(server)["endstats.lua"]
    assert finding.fine
    assert "not ours" in finding.text
    assert deploy(server) == []


def test_an_older_script_of_ours_should_be_renewed(server: GameServer, ours: Path, there: Path) -> None:
    (there / "endstats.lua").write_bytes(older(ours / "endstats.lua"))
    finding = findings(server)["endstats.lua"]
    assert not finding.fine
    assert "version 0.1.0.0" in finding.text and "version 1.0.0" in finding.text


def test_two_scripts_that_write_gamestats_are_pointed_out(server: GameServer, ours: Path, there: Path) -> None:
    shutil.copy(ours / "gamestats.lua", there)
    finding = findings(server)["gamestats.lua"]
    assert finding.fine
    assert "c0rnp0rn8.lua writes gamestats/ too: keep one of them" in finding.text


def test_nothing_is_read_out_of_the_options_or_an_older_script(server: GameServer, ours: Path, there: Path) -> None:
    (there / TIMING_SCRIPT).write_bytes(OLD)
    asked: list[tuple[str, int]] = []
    real = server.read_end

    def read_end(folder: str, name: str, limit: int) -> bytes:
        asked.append((name, limit))
        return real(folder, name, limit)

    server.read_end = read_end  # type: ignore[method-assign]
    texts = [finding.text for finding in status(server, "legacy")]
    texts += [step.describe() for step in plan(server, "legacy", [], NOW)]
    assert asked == [(CONFIG, 0)]
    assert "t0ken" not in " ".join(texts)


def test_options_that_only_the_game_server_may_read_count_as_there(
    ours: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = LocalFolder(there.parent)

    def refuse(*_: object) -> bytes:
        raise PermanentError("Permission denied")

    monkeypatch.setattr(server, "read_end", refuse)
    assert findings(server)[CONFIG].fine


# --- deploy ---


def test_planning_changes_nothing(server: GameServer, ours: Path, there: Path) -> None:
    (there / TIMING_SCRIPT).write_bytes(OLD)
    before = contents(there)
    (step,) = plan(server, "legacy", [], NOW)
    assert step.describe().startswith(f"replace {TIMING_SCRIPT}, version 1.6.2 (sha256 ")
    assert step.describe().endswith(f"the old one is kept as {TIMING_SCRIPT}.20260202T211352Z.bak")
    assert contents(there) == before


def test_a_bare_server_gets_the_timing_script_and_nothing_else(server: GameServer, ours: Path, there: Path) -> None:
    before = contents(there)
    assert deploy(server) == [TIMING_SCRIPT]
    assert contents(there) == before | {TIMING_SCRIPT: (ours / TIMING_SCRIPT).read_bytes()}
    assert deploy(server) == []
    assert all(finding.fine for finding in findings(server).values())


def test_what_is_replaced_is_kept_beside_byte_by_byte(server: GameServer, ours: Path, there: Path) -> None:
    (there / TIMING_SCRIPT).write_bytes(OLD)
    before = contents(there)
    deploy(server)
    assert contents(there) == before | {
        TIMING_SCRIPT: (ours / TIMING_SCRIPT).read_bytes(),
        f"{TIMING_SCRIPT}.20260202T211352Z.bak": OLD,
    }


def test_without_names_those_of_ours_that_lie_there_are_renewed_too(
    server: GameServer, ours: Path, there: Path
) -> None:
    (there / "c0rnp0rn8.lua").unlink()
    for name in ("gamestats.lua", "endstats.lua"):
        (there / name).write_bytes(older(ours / name))
    assert deploy(server) == [TIMING_SCRIPT, "endstats.lua", "gamestats.lua"]
    assert {name: contents(there)[name] for name in contents(ours)} == contents(ours)


def test_named_scripts_are_copied_and_no_others(server: GameServer, ours: Path, there: Path) -> None:
    assert deploy(server, "endstats.lua") == ["endstats.lua"]
    assert TIMING_SCRIPT not in contents(there)


@pytest.mark.parametrize("other", ["c0rnp0rn8.lua", "c0rnp0rn.lua", "C0RNP0RN7-new.lua"])
def test_gamestats_is_not_copied_beside_another_script_that_writes_gamestats(
    server: GameServer, ours: Path, there: Path, other: str
) -> None:
    (there / "c0rnp0rn8.lua").rename(there / other)
    with pytest.raises(lua_scripts.Refused, match=f"{other} lies there .*two files"):
        plan(server, "legacy", ["gamestats.lua"], NOW)
    (there / "gamestats.lua").write_bytes(older(ours / "gamestats.lua"))
    assert deploy(server) == [TIMING_SCRIPT]  # nor renewed by the way


def test_without_such_a_script_gamestats_is_copied(server: GameServer, ours: Path, there: Path) -> None:
    (there / "c0rnp0rn8.lua").rename(there / "c0rnp0rn8.lua.off")
    assert deploy(server, "gamestats.lua") == ["gamestats.lua"]


def test_replacing_somebody_elses_script_by_name_is_said_aloud(server: GameServer, ours: Path, there: Path) -> None:
    (there / "endstats.lua").write_bytes(b"-- awards of somebody else\n")
    (step,) = plan(server, "legacy", ["endstats.lua"], NOW)
    assert "WHICH IS NOT OURS" in step.describe()


@pytest.mark.parametrize("name", [CONFIG, f"{CONFIG}.example", "README.md", "../x.lua", ""])
def test_only_our_scripts_can_be_named(server: GameServer, ours: Path, there: Path, name: str) -> None:
    before = contents(there)
    with pytest.raises(lua_scripts.UnknownScript):
        plan(server, "legacy", [name], NOW)
    assert contents(there) == before


def test_when_the_backup_can_not_be_written_the_old_script_stays(
    ours: Path, there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = LocalFolder(there.parent)
    (there / TIMING_SCRIPT).write_bytes(OLD)

    def full(self: LocalFolder, folder: str, name: str, data: bytes) -> None:
        raise TransientError("no space left")

    monkeypatch.setattr(LocalFolder, "write", full)
    with pytest.raises(TransientError):
        deploy(server)
    assert contents(there)[TIMING_SCRIPT] == OLD


# --- as commands ---


@pytest.fixture
def slomix(there: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("SLOMIX_GAMESERVER_DIR", str(there.parent))
    monkeypatch.setenv("SLOMIX_SCRIPTS_FOLDER", "legacy")
    return lambda *arguments: CliRunner().invoke(main, ["lua", *arguments])


def test_status_ends_with_0_only_when_everything_is_as_it_should_be(
    slomix: Callable[..., Result], ours: Path, there: Path
) -> None:
    missing = slomix("status")
    assert missing.exit_code == 1
    assert f"Scripts in 'legacy' of folder {there.parent}" in missing.stdout
    assert f"wrong {TIMING_SCRIPT}: not there" in missing.stdout
    shutil.copy(ours / TIMING_SCRIPT, there)
    done = slomix("status")
    assert (done.exit_code, "wrong" in done.stdout) == (0, False)


def test_deploy_is_a_dry_run_until_it_is_told_yes(slomix: Callable[..., Result], ours: Path, there: Path) -> None:
    (there / TIMING_SCRIPT).write_bytes(OLD)
    before = contents(there)
    dry = slomix("deploy")
    assert dry.exit_code == 0
    assert f"would replace {TIMING_SCRIPT}, version 1.6.2" in dry.stdout
    assert "Nothing was changed" in dry.stdout and "--yes" in dry.stdout
    assert contents(there) == before

    real = slomix("deploy", "--yes")
    assert real.exit_code == 0
    assert f"done: replace {TIMING_SCRIPT}" in real.stdout
    assert "load a map" in real.stdout and "never lua_restart" in real.stdout and "rcon slomix_timing" in real.stdout
    assert (there / TIMING_SCRIPT).read_bytes() == (ours / TIMING_SCRIPT).read_bytes()
    assert [path.read_bytes() for path in there.glob("*.bak")] == [OLD]

    again = slomix("deploy", "--yes")
    assert (again.exit_code, "Nothing to do" in again.stdout) == (0, True)
    assert "t0ken" not in dry.output + real.output + again.output


def test_what_can_not_be_deployed_is_said_in_one_line(slomix: Callable[..., Result], ours: Path, there: Path) -> None:
    before = contents(there)
    refused = slomix("deploy", "gamestats.lua", "--yes")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("slomix: gamestats.lua is not copied: c0rnp0rn8.lua lies there")
    for name in (CONFIG, "nonsense.lua"):
        unknown = slomix("deploy", name, "--yes")
        assert unknown.exit_code == 2
        assert name in unknown.stderr and unknown.stderr.startswith("slomix: ")
    assert contents(there) == before


@pytest.mark.parametrize("arguments", [("status",), ("deploy",), ("deploy", "--yes")])
def test_without_a_game_server_or_its_folder_the_settings_are_named(
    slomix: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SLOMIX_SCRIPTS_FOLDER", "nowhere")
    lost = slomix(*arguments)
    assert (lost.exit_code, "SLOMIX_SCRIPTS_FOLDER" in lost.stderr) == (1, True)
    monkeypatch.delenv("SLOMIX_GAMESERVER_DIR")
    none = slomix(*arguments)
    assert (none.exit_code, "SLOMIX_GAMESERVER_DIR" in none.stderr) == (1, True)
