"""The process that runs are forked from, as the daemon makes it: a fork of a process that has one thread."""

import os
import subprocess
import sys
from pathlib import Path

# In a process of its own: this one has threads.
_FORKS_TWICE = """
import os, signal, sys
from multiprocessing import forkserver
from slomix_pipeline.runtime.fork_server import end_fork_server, fork, fork_server_from_here, load_what_runs_need
from slomix_pipeline_tests.runtime.test_fork_server import note_what_is_loaded

if __name__ == "__main__":
    load_what_runs_need()
    fork_server_from_here()
    first = forkserver._forkserver._forkserver_pid
    fork(note_what_is_loaded, sys.argv[1] + "/first").join()
    os.kill(first, signal.SIGKILL)
    fork(note_what_is_loaded, sys.argv[1] + "/second").join()
    print(os.getpid(), first, forkserver._forkserver._forkserver_pid)
    end_fork_server()
"""


def note_what_is_loaded(path: str) -> None:
    Path(path).write_text(f"{os.getppid()} {'slomix_pipeline.definitions' in sys.modules}")


def test_what_a_run_needs_is_loaded_in_the_first_fork_server_and_in_the_one_after_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _FORKS_TWICE, str(tmp_path)]
    own, first, second = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert len({own, first, second}) == 3
    assert (tmp_path / "first").read_text() == f"{first} True"
    assert (tmp_path / "second").read_text() == f"{second} True"
