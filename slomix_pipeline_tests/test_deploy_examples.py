"""What lies in ``deploy/`` for service managers and containers, held against the programs that read it."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from slomix_pipeline.bundled import bundled_folder
from slomix_pipeline.settings import project_folder

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
    (tmp_path / unit.name).write_text(re.sub("^Documentation=.*\n", "", there, flags=re.MULTILINE))
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
    return re.sub(r"^#?(\w+_PASSWORD)=$", r"\1=apassword", (DEPLOY / "compose" / name).read_text(), flags=re.MULTILINE)


def test_the_containers_are_understood_and_open_to_this_machine_alone(tmp_path: Path) -> None:
    done = compose(tmp_path, filled_in("slomix.env.example"), "--profile", "celery", "config")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services.keys() == {"postgres", "code", "daemon", "ui", "site", "redis", "worker"}
    published = {name: [str(port) for port in service.get("ports", ())] for name, service in services.items()}
    assert {name for name, ports in published.items() if ports} == {"ui", "site"}
    assert all("127.0.0.1" in port for ports in published.values() for port in ports)
    assert all("healthcheck" in service for service in services.values())


def test_the_container_of_pages_knows_no_secret_but_its_own_and_reaches_no_other_part(tmp_path: Path) -> None:
    done = compose(tmp_path, filled_in("slomix.env.example"), "config")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert "apassword" not in str(services["site"])
    sharing = {name for name, service in services.items() if service["networks"].keys() & services["site"]["networks"]}
    assert sharing == {"site", "postgres"}


def test_no_container_starts_without_a_password_that_somebody_chose(tmp_path: Path) -> None:
    done = compose(tmp_path, (DEPLOY / "compose" / "slomix.env.example").read_text(), "config")
    assert done.returncode != 0 and "POSTGRES_PASSWORD" in done.stderr


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
