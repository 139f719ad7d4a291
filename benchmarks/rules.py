"""How fast formats and rules are by themselves: milliseconds of CPU per stats file and part, without a database.

Plays evenings of 8 players and takes each through the rules as the stages do: read the file, pair and take apart,
check, link and time, teams and scores, awards. The simulator's own time is not counted; a part counts with the median
of its repetitions over each evening. Takes both a small and a large number of files, to show that the time for one
does not grow, and says what a read file weighs.

    .venv/bin/python benchmarks/rules.py [files ...]
"""

import gc
import hashlib
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeVar

from slomix_pipeline.checks import outcomes
from slomix_pipeline.formats import endstats, gamestats, gametimes
from slomix_pipeline.rules.endstats import link_endstats, merged, resolve_awards, resolve_duels
from slomix_pipeline.rules.identity import with_distinct_guids
from slomix_pipeline.rules.linking import Clocked
from slomix_pipeline.rules.pairing import DEFAULT_WINDOW, SIDES_UNSEEN
from slomix_pipeline.rules.plausibility import disagreeing_ratios, impossible_number
from slomix_pipeline.rules.rounds import SessionRounds, work_out
from slomix_pipeline.rules.scoring import Clock, Half, score_session
from slomix_pipeline.rules.teams import Lineup, assign_teams
from slomix_pipeline.rules.timing import RoundTiming, time_round
from slomix_pipeline.rules.timing_records import FiledRecord, link_timing_records
from slomix_pipeline.rules.values import FiledRound, with_true_limit
from slomix_pipeline.simulator.awards import ENDSTATS_DELAY, endstats_bytes, endstats_name
from slomix_pipeline.simulator.evening import SOME_EVENING, play_evening
from slomix_pipeline.simulator.serverfiles import timing_bytes
from slomix_pipeline.simulator.values import SimRound
from slomix_pipeline.warehouse.check_results import Outcome

FILES = (500, 4000)
REPETITIONS = 3
PLAYERS_PER_TEAM = 4
PARTS = ("parse", "differential", "laws and plausibility", "linking and timing", "teams and scoring", "awards")
AIM = 1000  # files per second of parse and differential together

T = TypeVar("T")


class Files(NamedTuple):
    """What a server wrote of one round; ``endstats`` is None where the round was broken off."""

    entry: SimRound
    key: str
    stats: bytes
    timing: bytes
    endstats: bytes | None


@dataclass
class Stopwatch:
    """Seconds of CPU by part."""

    seconds: dict[str, float]

    def measure(self, part: str, work: Callable[[], T]) -> T:
        """Does the work some times over; its median counts."""
        taken = []
        for _ in range(REPETITIONS):
            started = time.process_time()
            result = work()
            taken.append(time.process_time() - started)
        self.seconds[part] += statistics.median(taken)
        return result


def evenings(count: int) -> Iterator[list[Files]]:
    """Evenings of together ``count`` files, one at a time."""
    day = 0
    while count > 0:
        odd = {"leaver": day % 3 == 0, "reconnect": day % 4 == 0}
        ends_at = SOME_EVENING + timedelta(days=day)
        rounds = play_evening(day, players_per_team=PLAYERS_PER_TEAM, ends_at=ends_at, **odd).rounds[:count]
        yield [_files(sim_round) for sim_round in rounds]
        count -= len(rounds)
        day += 1


def _files(played: SimRound) -> Files:
    awards = None if played.status == "aborted" else endstats_bytes(played)
    return Files(played, f"main:{played.stem}", played.stats_bytes, timing_bytes(played), awards)


def through_the_rules(files: Sequence[Files], watch: Stopwatch) -> None:
    """One evening, part by part."""
    records = [FiledRecord(f.entry.timing_name, gametimes.parse(f.timing)) for f in files]
    rounds = watch.measure("parse", lambda: [_read(f) for f in files])
    found = watch.measure("differential", lambda: work_out(rounds, DEFAULT_WINDOW, (), records=records))
    watch.measure("laws and plausibility", lambda: _check(rounds, found))
    timings = watch.measure("linking and timing", lambda: _time(rounds, found, records))
    watch.measure("teams and scoring", lambda: _score(rounds, found, timings))
    watch.measure("awards", lambda: _award(files, rounds))


def _read(files: Files) -> FiledRound:
    """As stored bytes are read, but for the bounds, which are looked at when bytes come in."""
    stats = with_distinct_guids(gamestats.parse(files.stats), hashlib.sha256(files.stats).hexdigest())
    return FiledRound(files.key, files.entry.stamp, files.entry.label, stats)


def _check(rounds: Sequence[FiledRound], found: SessionRounds) -> list[Outcome]:
    by_key = {entry.key: entry for entry in rounds}
    told = []
    for entry in rounds:
        impossible_number(entry.stats)
        disagreeing_ratios(entry.stats)
        place = found.placed[entry.key]
        partner = by_key[place.partner] if place.partner else None
        told += [
            outcomes.pairing_outcome(entry, place, partner),
            outcomes.laws_outcome(entry, place, found.players, partner if place.goes_on else None),
            outcomes.plausibility_outcome(entry, place, found.players),
        ]
    return told


def _time(rounds: Sequence[FiledRound], found: SessionRounds, records: Sequence[FiledRecord]) -> dict[str, RoundTiming]:
    by_key = {entry.key: entry for entry in rounds}
    links, _ = link_timing_records([Clocked(r.key, r.map_name, r.number, r.stamp) for r in rounds], records)
    linked = {filed.key: filed.record for filed in records}
    timings = {}
    for entry in rounds:
        place, header = found.placed[entry.key], entry.stats.header
        if place.number == 2 and place.partner:
            header = with_true_limit(header, by_key[place.partner].stats.header)
        played = {p.guid: p.seconds_played for p in found.players[entry.key]}
        link = links[entry.key]
        record = linked.get(link.record_key or "")
        seen = SIDES_UNSEEN not in place.flags
        timings[entry.key] = time_round(header, place.status, played.values(), link, record, seen)
        outcomes.timing_outcome(header, timings[entry.key], played)
    return timings


def _score(rounds: Sequence[FiledRound], found: SessionRounds, timings: Mapping[str, RoundTiming]) -> list[Outcome]:
    halves = [_half(entry, found, timings[entry.key]) for entry in rounds]
    teams = assign_teams([Lineup(h.key, h.number, h.sides) for h in halves if h.unscored_reason is None])
    told = [outcomes.teams_outcome(half, teams, {}) for half in halves]
    return told + [outcomes.score_outcome(match.result) for match in score_session(halves, teams.team_of)]


def _half(entry: FiledRound, found: SessionRounds, timing: RoundTiming) -> Half:
    place = found.placed[entry.key]
    return Half(
        entry.key,
        place.partner,
        place.match_key,
        place.number,
        place.status,
        place.reason,
        found.validities[entry.key].unscored_reason,
        entry.map_name,
        entry.stats.header,
        {p.guid: p.side for p in found.players[entry.key] if p.side},
        Clock(timing.record.engine_surrender if timing.record else None, timing.duration.seconds),
    )


def _award(files: Sequence[Files], rounds: Sequence[FiledRound]) -> None:
    written = {endstats_name(f.entry): f for f in files if f.endstats}
    clocked = [
        Clocked(n, f.entry.map_name, f.entry.label, f.entry.ended_at + ENDSTATS_DELAY) for n, f in written.items()
    ]
    links = link_endstats([Clocked(r.key, r.map_name, r.number, r.stamp) for r in rounds], clocked)
    for entry in rounds:
        whole = merged(endstats.parse(written[name].endstats or b"") for name in links[entry.key].keys)
        resolve_awards(whole, entry.stats, entry.number)
        resolve_duels(whole, entry.stats)


def weight() -> float:
    """Bytes that a read stats file takes in memory, on average over an evening."""
    files = next(evenings(14))
    _read(files[0])
    gc.collect()
    tracemalloc.start()
    kept = [_read(f) for f in files]
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return taken / len(kept)


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or list(FILES)
    ms: dict[int, dict[str, float]] = {}
    for size in sizes:
        watch = Stopwatch(dict.fromkeys(PARTS, 0.0))
        for files in evenings(size):
            through_the_rules(files, watch)
        ms[size] = {part: 1000 * seconds / size for part, seconds in watch.seconds.items()}
    print(f"{'ms of CPU per file':<26}" + "".join(f"{size:>9} files" for size in sizes))
    for part in PARTS:
        print(f"{part:<26}" + "".join(f"{ms[size][part]:>15.3f}" for size in sizes))
    print(f"{'all parts':<26}" + "".join(f"{sum(ms[size].values()):>15.3f}" for size in sizes))
    rates = [1000 / (ms[size]["parse"] + ms[size]["differential"]) for size in sizes]
    print(f"{'files/s, the first two':<26}" + "".join(f"{rate:>15.0f}" for rate in rates) + f"   (aim: {AIM})")
    print(f"a read file of {2 * PLAYERS_PER_TEAM} players weighs {weight() / 1024:.1f} KiB")


if __name__ == "__main__":
    main()
