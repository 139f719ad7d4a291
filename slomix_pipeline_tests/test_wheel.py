"""The wheel, installed where there is no checkout: it brings all that the commands need."""

import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

from slomix_pipeline.settings import project_folder


@pytest.mark.cluster
@pytest.mark.timeout(600)
def test_an_installed_wheel_plays_a_whole_evening(tmp_path: Path) -> None:
    """What it depends on is this environment's, which comes behind its own packages."""
    tmp_path.parent.chmod(0o755)  # the embedded server runs as another user when started by root
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path)]
    pins = os.environ | {"PIP_CONSTRAINT": str(project_folder() / "constraints.txt"), "SLOMIX_ENV_FILE": ""}
    subprocess.run([*wheel, str(project_folder())], env=pins, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*install, *map(str, tmp_path.glob("*.whl"))], check=True)
    (packages,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    others = [path for path in sys.path if path.endswith("site-packages")] or site.getsitepackages()
    (packages / "others.pth").write_text("\n".join(others) + "\n")

    def slomix(*arguments: str) -> "subprocess.CompletedProcess[str]":
        environment = pins | {"SLOMIX_HOME": str(tmp_path / "home")}
        command = [str(tmp_path / "venv" / "bin" / "slomix"), *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)

    where = "import slomix_pipeline as s; print(s.__file__)"
    found = subprocess.run([python, "-c", where], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.strip().startswith(str(packages))
    played = slomix("demo")
    assert played.returncode == 0, played.stdout + played.stderr
    assert "those that must pass all passed" in played.stdout
    refused = slomix("serve", "code")
    assert refused.returncode == 1 and "set SLOMIX_POSTGRES_URL" in refused.stderr
