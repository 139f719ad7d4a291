"""What goes wrong during a night, and when: a pure function of the seed.

Does not belong here: how it is done (``night``, ``supervised``, ``playing``).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from slomix_pipeline.discord.standin_faults import Fault
from slomix_pipeline.simulator.sftp_faults import SftpFault


class Victim(StrEnum):
    """A process that can be killed with SIGKILL."""

    RUN = "a run's process"
    FORK_SERVER = "the fork server"
    CODE_SERVER = "the code server"
    DAEMON = "the daemon"
    WEB_SERVER = "the web server"
    DAGSTER = "the parent of Dagster's processes"
    SITE = "the public pages"
    SUPERVISOR = "the supervisor"
    BACKEND = "a backend of PostgreSQL"
    POSTGRES = "PostgreSQL"


class Outage(StrEnum):
    """Discord as a whole, for a while."""

    FAILING = "Discord answers everything with 503"
    LIMITED = "Discord answers everything with 429"
    AWAY = "Discord refuses connections"


class Machine(StrEnum):
    """The machine itself, for a while."""

    DISK_FULL = "the disk is full"
    CLOCK_AHEAD = "the clock jumps ahead by 10 minutes"
    CLOCK_BEHIND = "the clock jumps back by 10 minutes"
    CLOCK_HOURS_AHEAD = "the clock jumps ahead by 3 hours"


Harm = Victim | SftpFault | Fault | Outage | Machine
CLOCK_STEPS = {Machine.CLOCK_AHEAD: 600, Machine.CLOCK_BEHIND: -600, Machine.CLOCK_HOURS_AHEAD: 3 * 3600}  # seconds

# Of the next message that is sent or edited. The other faults are settings, which a night does not change.
MESSAGE_FAULTS = (
    Fault.LOST_ANSWER,
    Fault.RESET_AFTER_TAKING,
    Fault.DRIPPING,
    Fault.LATE_ANSWER,
    Fault.RESET,
    Fault.FAILING,
    Fault.RATE_LIMITED,
    Fault.GLOBALLY_LIMITED,
)
KINDS: Sequence[Sequence[Harm]] = (
    *[tuple(Victim)] * 3,  # the most frequent
    tuple(SftpFault),
    MESSAGE_FAULTS,
    tuple(Outage),
    tuple(Machine),
)
_LASTS = 3.0, 15.0  # seconds, of what lasts
_PAUSES = 2.0, 9.0  # seconds between the beginnings of two harms


class Writing(StrEnum):
    """How the files of a round appear."""

    WHOLE = "as they should"
    GROWING = "slowly, half of each first"
    LATE_RECORD = "the timing record long after the stats file"
    REPLACED = "half a stats file, replaced by a whole one"


@dataclass(frozen=True)
class Planned:
    """One harm: ``at`` so many seconds after the first round; what ``lasts`` ends so many seconds later."""

    at: float
    harm: Harm
    lasts: float = 0.0


@dataclass(frozen=True)
class Plan:
    """All that goes wrong in one night. ``writings``: one for each round."""

    seed: int
    harms: tuple[Planned, ...]
    writings: tuple[Writing, ...]


def plan_night(seed: int, seconds: float, rounds: int, left_out: Collection[Harm] = ()) -> Plan:
    """A night of so many rounds, with harm from its beginning on for so many seconds. ``left_out``: what can't be done
    on this machine."""
    rng = Random(seed)
    harms, at = [], rng.uniform(0.5, 3.0)
    while at < seconds:
        harm = rng.choice(rng.choice(KINDS))
        lasts = 0.0 if isinstance(harm, Victim | Fault) else round(rng.uniform(*_LASTS), 1)
        harms.append(Planned(round(at, 1), harm, lasts))
        at += rng.uniform(*_PAUSES)
    writings = tuple(rng.choice((Writing.WHOLE, *Writing)) for _ in range(rounds))
    return Plan(seed, tuple(one for one in harms if one.harm not in left_out), writings)
