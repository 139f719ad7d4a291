"""What the project is built on: each package by one exact version, which fit together, from the registry alone."""

import re
import tomllib
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from slomix_pipeline.settings import project_folder

ROOT = project_folder()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = ("dev",)  # what every test run has
# What is in the tree and not written here, with its version, is listed here; there is none.
VENDORED: tuple[str, ...] = ()


def pins() -> dict[str, Version]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    found: dict[str, Version] = {}
    for line in lines:
        name, version = line.split("==")
        found[canonicalize_name(name)] = Version(version)
    assert len(found) == len(lines)
    return found


def asked() -> list[Requirement]:
    project = PROJECT["project"]
    optional = [one for some in project["optional-dependencies"].values() for one in some]
    return [Requirement(one) for one in [*project["dependencies"], *optional]]


def needed() -> dict[str, list[tuple[str, Requirement]]]:
    """All that our tree of dependencies needs here, each with who needs it and how."""
    project = PROJECT["project"]
    own = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    waiting = [("slomix-pipeline", Requirement(one)) for one in own]
    found: dict[str, list[tuple[str, Requirement]]] = {}
    while waiting:
        by, requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        known = found.setdefault(name, [])
        if any(requirement == other for _, other in known):
            continue
        known.append((by, requirement))
        for text in metadata.distribution(name).requires or ():
            further = Requirement(text)
            extras = requirement.extras or {""}
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append((name, further))
    return found


def test_all_that_is_needed_is_pinned_and_installed_as_pinned() -> None:
    pinned = pins()
    installed = {name: Version(metadata.version(name)) for name in needed()}
    assert {name: version for name, version in installed.items() if pinned.get(name) != version} == {}


def test_the_pinned_versions_fit_what_everybody_asks_for() -> None:
    pinned = pins()
    wrong = [
        f"{by} asks for {requirement}, pinned is {pinned[name]}"
        for name, some in needed().items()
        for by, requirement in some
        if not requirement.specifier.contains(pinned[name], prereleases=True)
    ]
    assert wrong == []
    unfit = [str(one) for one in asked() if not one.specifier.contains(pins()[canonicalize_name(one.name)])]
    assert unfit == []


def test_nothing_comes_from_elsewhere_than_the_registry() -> None:
    every = [requirement for some in needed().values() for _, requirement in some] + asked()
    assert [str(one) for one in every if one.url] == []
    build = [Requirement(one) for one in PROJECT["build-system"]["requires"]]
    assert [str(one) for one in build if one.url or canonicalize_name(one.name) not in pins()] == []


def test_the_tree_holds_nothing_that_others_wrote() -> None:
    kept = [path for name in ("slomix_pipeline", "lua", "deploy", "sql") for path in (ROOT / name).rglob("*")]
    foreign = re.compile(r"\.(min\.js|min\.css|woff2?|ttf|whl|so|jar|wasm|exe|dll)$")
    assert tuple(sorted(path.name for path in kept if foreign.search(path.name))) == VENDORED
