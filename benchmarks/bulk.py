"""How fast ``slomix import`` is from nothing, start-up and new database included.

Imports simulated evenings, or the folder given, and prints files per second.

    .venv/bin/python benchmarks/bulk.py [folder]
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.writing import write_evening

EVENINGS = 7  # of 14 rounds: about a hundred files


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the embedded server runs as another user when started by root
        files = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder, "files")
        for day in range(EVENINGS if len(sys.argv) == 1 else 0):
            write_evening(files, play_evening(day, ends_at=SOME_EVENING + timedelta(days=day)))
        count = sum(1 for path in files.rglob("*round-?.txt"))
        environment = os.environ | {"SLOMIX_ENV_FILE": "", "SLOMIX_HOME": str(Path(folder, "home"))}
        started = time.monotonic()
        command = [Path(sys.executable).parent / "slomix", "import", str(files)]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        taken = time.monotonic() - started
    print(f"{count} stats files in {taken:.1f} s: {count / taken:.0f} a second")


if __name__ == "__main__":
    main()
