"""Where the files beside the code lie: migrations and views (``sql``), Dagster's configuration (``deploy``), the
game-side scripts (``lua``).

Belongs here: finding those folders in a checkout and in an installed wheel alike.
Does not belong here: reading what is in them.
"""

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent


def bundled_folder(name: Literal["sql", "deploy", "lua"], package: Path = _PACKAGE) -> Path:
    """The folder ``name``: packed into ``package`` by the wheel (pyproject's force-include), else beside it.

    Raises:
        FileNotFoundError: it is in neither place; the installation is broken.
    """
    for folder in (package / "bundled" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"slomix_pipeline came without its folder {name!r}; install it again")
