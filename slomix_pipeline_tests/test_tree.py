"""The tree itself: no secret, no package server, every module says what it is."""

import ast
import re
import subprocess

import pytest

from slomix_pipeline.settings import project_folder

ROOT = project_folder()


def _tracked() -> list[str]:
    found = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("not a git checkout")
    return [name for name in found.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_file_holds_a_real_webhook_address() -> None:
    address = re.compile(r"discord(?:app)?\.com/api/webhooks/[0-9]{6,}")
    assert [name for name in _tracked() if address.search((ROOT / name).read_text("utf-8", "replace"))] == []


# As their issuers make them; what tests make up is not like these.
_SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}",
    "a webhook": r"/api/webhooks/[0-9]{15,}/[\w-]{40,}",
    "a bot token": r"\b[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,}",
    "a token of a code host": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,}|glpat-[\w-]{20})",
    "a key of a cloud": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bsk-[A-Za-z0-9_-]{32,}|\bxox[abprs]-[\w-]{20,}",
    "a hashed password": r"\$(?:2[aby]|apr1|[156])\$[./\w$]{20,}",
    "a password in an address": r"postgres(?:ql)?://\w+:(?!pass|secret|swordfish|hunter2|a@|9#)[^@\s\"'{}/]{16,}@",
}


def test_no_file_holds_what_looks_like_a_secret() -> None:
    found = [
        f"{name}: {what}"
        for name in _tracked()
        for what, pattern in _SECRETS.items()
        if re.search(pattern, (ROOT / name).read_text("utf-8", "replace"))
    ]
    assert found == []


def test_the_constraints_name_versions_and_no_server() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin) for pin in pins)


def test_env_files_are_never_tracked() -> None:
    assert [name for name in _tracked() if name.rsplit("/", 1)[-1] == ".env"] == []


def test_every_module_opens_by_saying_what_it_is() -> None:
    modules = (ROOT / "slomix_pipeline").rglob("*.py")
    silent = [str(path.relative_to(ROOT)) for path in modules if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_no_module_outgrows_one_room() -> None:
    sizes = {
        str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in (ROOT / "slomix_pipeline").rglob("*.py")
    }
    assert {name: size for name, size in sizes.items() if size > 400} == {}
