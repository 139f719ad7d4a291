"""Files that are made from what the code says: a test compares them, and RENEW_SNAPSHOTS=1 writes them anew."""

import os
from pathlib import Path

RENEW = "RENEW_SNAPSHOTS"


def assert_as_kept(kept: Path, now: str) -> None:
    """Fails when a kept file says other than ``now``; when it is to be renewed, renews it."""
    if os.environ.get(RENEW) == "1":
        kept.write_text(now, "utf-8")
    assert now == kept.read_text("utf-8"), (
        f"{kept.name} would be another now. If that is meant: run this test with {RENEW}=1 and commit the difference."
    )
