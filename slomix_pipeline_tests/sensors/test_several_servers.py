"""Several game servers in one deployment: each over SFTP of its own, in its zone, told in its channel; none mixes with
another, and none holds another up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from slomix_pipeline.definitions import build_defs
from slomix_pipeline.discord.channels import open_channels
from slomix_pipeline.discord.standin import StandIn
from slomix_pipeline.gameserver.choose import NoGameServer
from slomix_pipeline.gameserver.several import open_game_servers
from slomix_pipeline.gameserver.source import GameServer, PermanentError
from slomix_pipeline.reports.export import session_as_json
from slomix_pipeline.reports.validating import validate
from slomix_pipeline.rules.reach import Reach
from slomix_pipeline.sensors import folders
from slomix_pipeline.sensors.folders import GAMESTATS, GAMETIMES, folder_sensors, watched_folders
from slomix_pipeline.server_settings import MOST_SERVERS
from slomix_pipeline.settings import Settings, load_settings, project_folder
from slomix_pipeline.simulator.evening import play_evening
from slomix_pipeline.simulator.sftp_faults import SftpFault
from slomix_pipeline.simulator.sftp_server import SftpServer
from slomix_pipeline.simulator.values import Evening
from slomix_pipeline.simulator.writing import write_evening, write_round
from slomix_pipeline.stages import session_pictures
from slomix_pipeline.stages.chain import OF_A_ROUND, OF_A_SESSION, OF_A_TIMING, run_stages
from slomix_pipeline.stages.common import Tools, Wish, perform
from slomix_pipeline.stages.raw_stats_file import raw_stats_file
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.rework import stale_rounds
from slomix_pipeline_tests.as_played import as_exported, as_played, differences
from slomix_pipeline_tests.kept import drawn_at_once, empty_instance
from slomix_pipeline_tests.pipeline_fixtures import just_now

ZONES = {"eu": "Europe/Ljubljana", "us-2": "America/Chicago"}
CHANNELS = ("eu", "us-2", "eu_summaries")
STAGES = {"ingest_rounds": OF_A_ROUND, "ingest_timings": OF_A_TIMING}


@dataclass
class Deployment:
    """Two game servers with a page of Discord's for each, and whoever works for both."""

    database: Database
    instance: dg.DagsterInstance
    settings: Settings
    gameservers: GameServer
    folders: dict[str, Path]
    sftp: dict[str, SftpServer]
    pages: dict[str, StandIn]
    cursors: dict[tuple[str, str], str | None] = field(default_factory=dict)

    @property
    def tools(self) -> Tools:
        return Tools(self.database, self.settings, self.gameservers, open_channels(self.settings), Wish.LIVE)

    def tick(self, server: str, name: str) -> dg.SensorResult | dg.SkipReason:
        """One tick of a folder's sensor, as it is evaluated for that server."""
        own = self.settings.of_server(server)
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursors.get((server, name)))
        there = self.gameservers.of(server)
        outcome = folders.watch(context, own, self.database, there, watched_folders(own)[name], 0.5)
        self.cursors[server, name] = context.cursor
        return outcome

    def asked_for(self, *servers: str) -> list[str]:
        """The rounds that the sensors of these servers ask for."""
        keys: list[str] = []
        for server in servers:
            outcome = self.tick(server, GAMESTATS)
            keys += [key for key in self.instance.get_dynamic_partitions("rounds") if key not in keys]
            assert isinstance(outcome, dg.SensorResult), outcome
        return keys

    def work(self, keys: list[str]) -> None:
        """What the runs of these rounds do, of all servers in one."""
        run_stages(OF_A_ROUND, keys, self.tools)

    def exported(self, server: str, evening: Evening) -> dict[str, Any]:
        with self.database.snapshot() as conn:
            return session_as_json(conn, self.settings, f"{server}:{evening.rounds[0].stem[:17]}")

    def titles(self, channel: str) -> list[str]:
        return [message["embeds"][0]["title"] for message in self.pages[channel].messages()]


@contextmanager
def deployment(database: Database, tmp_path: Path, zones: dict[str, str]) -> Iterator[Deployment]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(session_pictures, "drawn", drawn_at_once)
        places = {server: tmp_path / server for server in zones}
        for place in places.values():
            for name in (GAMESTATS, GAMETIMES):
                (place / name).mkdir(parents=True)
        sftp = {
            server: stack.enter_context(SftpServer(place, server, f"word of {server}"))
            for server, place in places.items()
        }
        pages = {name: stack.enter_context(StandIn(tmp_path / f"discord {name}")) for name in CHANNELS}
        own: dict[str, Any] = {"eu_discord_summary_webhook": pages["eu_summaries"].webhook_url}
        for server, zone in zones.items():
            prefix = server.replace("-", "_")
            own |= {
                f"{prefix}_timezone": zone,
                f"{prefix}_sftp_port": sftp[server].port,
                f"{prefix}_sftp_user": server,
                f"{prefix}_sftp_password": f"word of {server}",
                f"{prefix}_sftp_host_key": sftp[server].host_key_fingerprint,
                f"{prefix}_discord_webhook": pages[server].webhook_url,
            }
        settings = load_settings(home=tmp_path / "home", servers=",".join(zones), sftp_host="127.0.0.1", **own)
        gameservers = stack.enter_context(open_game_servers(settings))
        instance = stack.enter_context(empty_instance())
        yield Deployment(database, instance, settings, gameservers, places, sftp, pages)


@pytest.fixture
def two(database: Database, tmp_path: Path) -> Iterator[Deployment]:
    with deployment(database, tmp_path, ZONES) as opened:
        yield opened


def evenings_at_once(zones: dict[str, str] = ZONES) -> dict[str, Evening]:
    """An evening on each server, at the same time: of others, on other maps, in its zone."""
    ends = just_now()
    return {
        server: play_evening(61 + number, maps=2, players_per_team=3, ends_at=ends, zone=ZoneInfo(zone))
        for number, (server, zone) in enumerate(zones.items())
    }


def test_evenings_at_the_same_time_come_out_as_played_and_each_is_told_in_its_own_channel(two: Deployment) -> None:
    played = evenings_at_once()
    for server, evening in played.items():
        write_evening(two.folders[server], evening)
    keys = two.asked_for(*played)
    assert sorted(keys) == sorted(f"{s}:{r.stem}" for s, evening in played.items() for r in evening.rounds)
    two.work(keys)
    for server, evening in played.items():
        found, expected = as_exported(two.exported(server, evening)), as_played(evening, server=server)
        assert differences(found, expected) == []
        matches = [match.map_name for match in evening.matches]
        assert len(two.titles(server)) == len(matches)
        assert {title.split(" · ")[0].replace("\\", "") for title in two.titles(server)} == set(matches)
    assert two.titles("eu_summaries") == []
    two.work(keys)  # told once, however often they are worked out
    assert [len(two.titles(server)) for server in played] == [2, 2]
    with two.database.connect() as conn:
        assert [stale for stale in stale_rounds(conn, two.settings) if stale.round_key in keys] == []


def test_summaries_go_where_each_server_has_them(two: Deployment) -> None:
    played = evenings_at_once()
    for server, evening in played.items():
        write_evening(two.folders[server], evening)
    two.work(two.asked_for(*played))
    sessions = [f"{server}:{evening.rounds[0].stem[:17]}" for server, evening in played.items()]
    with two.database.transaction() as conn:
        conn.execute("update file set arrived_at = arrived_at - interval '2 hours'")
    run_stages(OF_A_SESSION, sessions, two.tools)
    assert [len(two.titles(channel)) for channel in CHANNELS] == [2, 3, 1]


def test_a_message_is_edited_by_the_webhook_that_sent_it_though_another_is_set_now(two: Deployment) -> None:
    played = evenings_at_once()
    write_evening(two.folders["eu"], played["eu"])
    keys = two.asked_for("eu")
    two.work(keys)
    told = two.pages["eu"].messages()
    # Now the page that was eu's is that of the other server, and eu has another one.
    swapped = {
        "eu_discord_webhook": two.pages["us-2"].webhook_url,
        "us-2_discord_webhook": two.pages["eu"].webhook_url,
    }
    texts = tuple(
        text._replace(text=type(text.text)(swapped[name]))
        if (name := f"{text.server}_{text.name}") in swapped
        else text
        for text in two.settings.texts_of_servers
    )
    two.settings = two.settings.model_copy(update={"texts_of_servers": texts})
    with two.database.transaction() as conn:
        conn.execute("update post set payload_sha256 = 'of something else'")
    two.work(keys)
    edited = two.pages["eu"].messages()
    assert [message["id"] for message in edited] == [message["id"] for message in told]
    assert all(message["edited_timestamp"] for message in edited)
    assert two.pages["us-2"].messages() == []


def test_the_same_files_at_the_same_second_are_rounds_of_both(database: Database, tmp_path: Path) -> None:
    with deployment(database, tmp_path, {"eu": "UTC", "us-2": "UTC"}) as two:
        evening = play_evening(63, maps=1, players_per_team=3, ends_at=just_now())
        for folder in two.folders.values():
            write_evening(folder, evening)
        keys = two.asked_for("eu", "us-2")
        assert sorted(keys) == sorted(f"{server}:{r.stem}" for server in two.folders for r in evening.rounds)
        two.work(keys)
        for server in two.folders:
            found = as_exported(two.exported(server, evening))
            assert differences(found, as_played(evening, server=server)) == []
            assert len(two.titles(server)) == 1


def test_a_server_that_refuses_does_not_stop_the_other(two: Deployment) -> None:
    played = evenings_at_once()
    for server, evening in played.items():
        write_evening(two.folders[server], evening)
    keys = two.asked_for(*played)
    password = next(t for t in two.settings.texts_of_servers if (t.server, t.name) == ("eu", "sftp_password"))
    wrong = password._replace(text=type(password.text)("wrong"))
    texts = tuple(wrong if text == password else text for text in two.settings.texts_of_servers)
    two.settings = two.settings.model_copy(update={"texts_of_servers": texts})
    with open_game_servers(two.settings) as refusing:
        two.gameservers = refusing
        with pytest.raises(PermanentError):
            two.tick("eu", GAMESTATS)
        assert isinstance(two.tick("us-2", GAMETIMES), dg.SensorResult)
        two.work(keys)
    assert [len(two.titles(channel)) for channel in CHANNELS] == [0, 2, 0]
    found = as_exported(two.exported("us-2", played["us-2"]))
    assert differences(found, as_played(played["us-2"], server="us-2")) == []


def test_what_is_stored_is_worked_out_again_though_its_server_never_answers(two: Deployment) -> None:
    played = evenings_at_once()
    for server, evening in played.items():
        write_evening(two.folders[server], evening)
    keys = two.asked_for(*played)
    two.work(keys)
    two.sftp["eu"].misbehave(SftpFault.STALLS)
    own = [key for key in keys if key.startswith("eu:")]
    silent = _Counted(two.gameservers.of("eu"))
    done = perform(raw_stats_file, own, replace(two.tools, gameserver=silent))
    assert (silent.names, done.totals["not reached"], done.totals["files"]) == ([], [], len(own))


def test_a_server_that_never_answers_is_asked_once_while_the_others_rounds_are_told(two: Deployment) -> None:
    played = evenings_at_once()
    for server, evening in played.items():
        write_evening(two.folders[server], evening)
    keys = two.asked_for(*played)
    silent = _Counted(two.gameservers.of("eu"))
    two.sftp["eu"].misbehave(SftpFault.STALLS)
    own = two.tools
    with ThreadPoolExecutor(1) as beside:
        stalled = beside.submit(
            perform, raw_stats_file, [key for key in keys if key.startswith("eu:")], replace(own, gameserver=silent)
        )
        assert silent.asked.wait(30)
        two.work([key for key in keys if key.startswith("us-2:")])
        assert (len(two.titles("us-2")), stalled.done()) == (2, False)
        two.sftp["eu"].misbehave(None)  # which breaks off what was stalled
        done = stalled.result()
    assert (len(silent.names), len(done.totals["not reached"])) == (1, len(played["eu"].rounds))
    two.work(keys)
    assert len(two.titles("eu")) == 2


def test_a_server_that_is_named_no_more_keeps_its_zone(two: Deployment) -> None:
    played = evenings_at_once()
    for server, evening in played.items():
        write_evening(two.folders[server], evening)
    two.work(two.asked_for(*played))
    before = two.exported("us-2", played["us-2"])
    texts = tuple(text for text in two.settings.texts_of_servers if text.server == "eu")
    two.settings = two.settings.model_copy(update={"servers": ("eu",), "texts_of_servers": texts})
    with open_game_servers(two.settings) as left:
        two.gameservers = left
        two.work([f"us-2:{own.stem}" for own in played["us-2"].rounds])
    assert two.exported("us-2", played["us-2"]) == before
    assert validate(two.database, two.settings, lambda _: Reach(), lambda *_: None).differing == {}


class _Counted(NoGameServer):
    """A game server that notes what is read from it."""

    def __init__(self, real: GameServer) -> None:
        self._real, self.names, self.asked = real, list[str](), Event()

    def read(self, folder: str, name: str, limit: int) -> bytes:
        self.names.append(name)
        self.asked.set()
        return self._real.read(folder, name, limit)


def test_a_run_of_dagsters_holds_rounds_of_both(two: Deployment) -> None:
    played = evenings_at_once()
    for server, evening in played.items():
        write_round(two.folders[server], evening.rounds[0])
    keys = two.asked_for(*played)
    resources = {
        "settings": two.settings,
        "database": two.database,
        "gameserver": two.gameservers,
        "discord": open_channels(two.settings),
    }
    definitions = build_defs(**resources)
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
    job = definitions.resolve_job_def("ingest_rounds")
    assert job.execute_in_process(instance=two.instance, tags=tags).success
    with two.database.connect() as conn:
        stored = [row["round_key"] for row in conn.execute("select round_key from round_timing order by round_key")]
    assert stored == sorted(keys)


def test_each_server_has_sensors_of_its_own_and_one_server_those_of_ever(two: Deployment) -> None:
    assert [sensor.name for sensor in folder_sensors(load_settings())] == ["gamestats_sensor", "gametimes_sensor"]
    assert [sensor.name for sensor in folder_sensors(two.settings)] == [
        "gamestats_sensor_eu",
        "gametimes_sensor_eu",
        "gamestats_sensor_us_2",
        "gametimes_sensor_us_2",
    ]


def test_no_sensor_waits_for_a_thread_with_as_many_servers_as_there_may_be() -> None:
    from slomix_pipeline.runtime.dagster_processes import GRPC_WORKERS

    configured = (project_folder() / "deploy" / "dagster.yaml").read_text().partition("\nsensors:")[2]
    workers = int(configured.partition("num_workers: ")[2].split()[0])
    servers = ",".join(f"s{number}" for number in range(MOST_SERVERS))
    places = {f"s{number}_gameserver_dir": f"/srv/{number}" for number in range(MOST_SERVERS)}
    sensors = build_defs(settings=load_settings(servers=servers, **places)).sensors or []
    assert len(list(sensors)) <= workers < GRPC_WORKERS
