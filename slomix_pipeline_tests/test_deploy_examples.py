"""What lies in ``deploy/`` for service managers and containers, held against the programs that read it."""

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from slomix_pipeline.actions.doctor.database import look, rights
from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.runtime.parts import prepare
from slomix_pipeline.runtime.supervisor import free_port
from slomix_pipeline.settings import load_settings, project_folder
from slomix_pipeline.warehouse import embedded
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.server_account import server_account

DEPLOY = bundled_folder("deploy")
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")
_MOST_EXPOSED = "20"  # of 100: systemd's own measure; a service without restrictions has 96


def _compose() -> list[str] | None:
    """The command there is: the plugin, or the program that was before it."""
    if shutil.which("docker") and not subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


# --- systemd ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_understood_and_leaves_little_open(unit: Path, tmp_path: Path) -> None:
    text = unit.read_text()
    there = re.sub(r"^ExecStart=\S+", f"ExecStart={shutil.which('true')}", text, flags=re.MULTILINE)
    (tmp_path / unit.name).write_text(there)
    understood = subprocess.run([ANALYZE or "", "verify", tmp_path / unit.name], capture_output=True, text=True)
    assert (understood.returncode, understood.stderr) == (0, "")
    exposed = [ANALYZE or "", "security", "--offline=yes", f"--threshold={_MOST_EXPOSED}", str(tmp_path / unit.name)]
    found = subprocess.run(exposed, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_runs_as_nobody_special_with_its_settings_outside_of_itself(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    assert any(line.startswith("EnvironmentFile=/etc/slomix/") for line in lines)
    assert any(re.fullmatch(r"User=slomix(-site)?", line) for line in lines)
    # What draws pictures writes code and executes it: only the pages, which draw none, can do without.
    assert ("MemoryDenyWriteExecute=true" in lines) == (unit.stem == "slomix-site")


# --- containers ------------------------------------------------------------------------------------------------------


def compose(folder: Path, settings: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = _compose()
    if command is None:
        pytest.skip("neither docker compose nor docker-compose is installed")
    (folder / "slomix.env").write_text(settings)
    (folder / "site.env").write_text((DEPLOY / "compose" / "site.env.example").read_text())
    files = ["-f", str(DEPLOY / "compose" / "compose.yaml"), "--env-file", str(folder / "slomix.env")]
    whole = [*command, *files, *arguments]
    return subprocess.run(whole, env=os.environ | {"SETTINGS_FOLDER": str(folder)}, capture_output=True, text=True)


def filled_in(name: str) -> str:
    return re.sub(
        r"^#?(\w+_PASSWORD)=$",
        lambda found: f"{found[1]}=of-{found[1].lower()}",
        (DEPLOY / "compose" / name).read_text(),
        flags=re.MULTILINE,
    )


def test_the_containers_are_understood_and_open_to_this_machine_alone(tmp_path: Path) -> None:
    done = compose(tmp_path, filled_in("slomix.env.example"), "--profile", "celery", "config")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services.keys() == {"postgres", "migrate", "code", "daemon", "ui", "site", "redis", "worker"}
    published = {name: [str(port) for port in service.get("ports", ())] for name, service in services.items()}
    assert {name for name, ports in published.items() if ports} == {"ui", "site"}
    assert all("127.0.0.1" in port for ports in published.values() for port in ports)
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"migrate"}
    assert all("backups" in str(services[name]["volumes"]) for name in ("code", "daemon", "worker"))


def test_the_container_of_pages_knows_no_secret_but_its_own_and_reaches_no_other_part(tmp_path: Path) -> None:
    done = compose(tmp_path, filled_in("slomix.env.example"), "config")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(re.findall(r"of-\w+", str(services["site"]))) == {"of-web_password", "of-link_password"}
    sharing = {name for name, service in services.items() if service["networks"].keys() & services["site"]["networks"]}
    assert sharing == {"site", "postgres"}
    assert services["site"].get("volumes", []) == []


def test_no_container_starts_without_a_password_that_somebody_chose(tmp_path: Path) -> None:
    done = compose(tmp_path, (DEPLOY / "compose" / "slomix.env.example").read_text(), "config")
    assert done.returncode != 0 and "DATABASE_PASSWORD" in done.stderr


@pytest.fixture
def made_by_the_image(made_cluster: Path, server_home: Path) -> Iterator[str]:
    """A server with passwords over TCP whose roles ``roles.sql`` has made: its host, port and database."""
    folder, port = server_home / "image", free_port(0)
    subprocess.run(["cp", "-a", str(made_cluster), str(folder)], check=True)
    (folder / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    account = server_account(folder, embedded.programs())
    options = f"-k . -p {port} -h 127.0.0.1 -c fsync=off"
    embedded._run("pg_ctl", "start", "-w", "-D", ".", "-l", "log", "-o", options, folder=folder, account=account)
    try:
        psql: list[str | Path] = [
            embedded.programs() / "psql",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            folder,
            "-p",
            str(port),
        ]
        script = [*psql, "-U", "postgres", "-d", "postgres", "-f", DEPLOY / "compose" / "roles.sql"]
        subprocess.run(script, env=os.environ | {f"{name}_PASSWORD": name.lower() for name in _ROLES}, check=True)
        yield f"127.0.0.1:{port}/slomix"
    finally:
        embedded._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", ".", folder=folder, account=account)


_ROLES = {"DATABASE": "slomix", "DAGSTER": "slomix_dagster", "WEB": "slomix_web", "LINK": "slomix_link"}


def test_the_roles_of_the_database_can_do_what_they_are_for_and_nothing_else(
    made_by_the_image: str, tmp_path: Path
) -> None:
    urls = {name: SecretStr(f"postgresql://{role}:{name.lower()}@{made_by_the_image}") for name, role in _ROLES.items()}
    settings = load_settings(
        home=tmp_path,
        postgres_url=urls["DATABASE"],
        dagster_postgres_url=urls["DAGSTER"],
        site_postgres_url=urls["WEB"],
        link_postgres_url=urls["LINK"],
        discord_application_id="80351110224678912",
        discord_guild="80351110224678913",
        discord_public_key="a" * 64,
    )
    prepare(settings)
    found = {finding.what: finding for finding in [*look(settings), *rights(settings)]}
    assert [finding for finding in found.values() if not finding.fine] == []
    assert found.keys() >= {"database", "schema", "Dagster's records", "public pages", "/link"}
    with Database(urls["DATABASE"].get_secret_value()).connect() as conn:
        assert conn.execute("show tcp_keepalives_idle").fetchone() == {"tcp_keepalives_idle": "20"}
        owners = conn.execute("select pg_get_userbyid(nspowner) as o from pg_namespace where nspname = 'dagster'")
        assert owners.fetchall() == [{"o": "slomix_dagster"}]
        assert conn.execute("select from pg_roles where rolsuper and rolname like 'slomix%'").fetchall() == []


def test_the_image_is_built_of_all_that_the_wheel_holds() -> None:
    packed = tomllib.loads((project_folder() / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    lines = (DEPLOY / "compose" / "Dockerfile").read_text().splitlines()
    copied = {word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]}
    assert copied >= {*packed["packages"], *packed["force-include"], "pyproject.toml", "README.md", "constraints.txt"}
    ignored = (DEPLOY / "compose" / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert "**/*.env" in ignored and "**/.env" in ignored
    assert any(line.startswith("USER ") and line != "USER root" for line in lines)


def test_the_values_for_dagsters_chart_are_yaml_and_hold_no_secret() -> None:
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
    assert values["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"
    assert "password" not in str(values).lower().replace("generatepostgresqlpasswordsecret", "")
    images = [values["dagsterWebserver"]["image"], values["dagsterDaemon"]["image"]]
    images += [deployment["image"] for deployment in values["dagster-user-deployments"]["deployments"]]
    assert all(image == images[0] for image in images)
