"""``slomix validate``: everything that is stored of rounds and sessions held against what their stored bytes give now.

Belongs here: what is compared, part by part of history, and what differs. Does not belong here: rules, and writing: all
of it is read in one snapshot that can't write, and a stage that runs again mends what differs.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import DictRow

from slomix_pipeline.checks.outcomes import laws_outcome, pairing_outcome, plausibility_outcome
from slomix_pipeline.formats import gametimes
from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.reports.rederiving import differences, rederived
from slomix_pipeline.rules.batches import cut_into_batches
from slomix_pipeline.rules.overrides import CUT, OverrideKind, of_kind
from slomix_pipeline.rules.reach import ReachOf
from slomix_pipeline.rules.session_result import SessionResult
from slomix_pipeline.rules.sessions import Stamped
from slomix_pipeline.rules.teams import Team
from slomix_pipeline.settings import Settings
from slomix_pipeline.stages.chain import Progress
from slomix_pipeline.warehouse import (
    audit,
    check_results,
    comparisons,
    files,
    matches,
    overrides,
    parsed,
    receipts,
    results,
    teams,
    timing_records,
)
from slomix_pipeline.warehouse import endstats as stored_endstats
from slomix_pipeline.warehouse.awarding import awards_of_sessions
from slomix_pipeline.warehouse.check_results import CheckName, Outcome
from slomix_pipeline.warehouse.database import Database
from slomix_pipeline.warehouse.facts import KEPT, differing_facts
from slomix_pipeline.warehouse.placing import SessionRead, results_of_sessions
from slomix_pipeline.warehouse.server_zones import settings_of
from slomix_pipeline.warehouse.touched import touched_sessions

_SHOWN = 20  # differences of a kind that are named; the others are counted
_RECORDS_AT_ONCE = 400


class Held(StrEnum):
    """What is held against what; the words are for people."""

    BYTES = "stored bytes against their sha256"
    READ = "rounds as read against their files"
    RECORDS = "timing records against their files"
    NUMBERS = "places, numbers, times against the rules"
    COMPARISONS = "the seven comparisons"
    LAWS = "pairing, laws and bounds against the last look"
    AWARDS = "awards and duels against their files"
    SESSIONS = "sessions against stamps and decisions"
    TEAMS = "teams against the rules"
    MATCHES = "matches against the rules"
    FACTS = "kept facts against their views"


class Difference(NamedTuple):
    """Something that is stored otherwise than it should be. ``key``: of a round, a record, a session or a match."""

    held: Held
    key: str
    what: str


@dataclass
class Validated:
    """What was looked at, and how much of it differs, by what was held against what; some differences by name."""

    rounds: int = 0
    sessions: int = 0
    records: int = 0
    looked_at: Counter[Held] = field(default_factory=Counter)
    differing: Counter[Held] = field(default_factory=Counter)
    named: list[Difference] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        return not self.differing

    def note(self, held: Held, looked_at: int, found: Iterable[tuple[str, str]]) -> None:
        """``found``: key and what differs; of one key all is one difference."""
        self.looked_at[held] += looked_at
        by_key: dict[str, list[str]] = {}
        for key, what in found:
            by_key.setdefault(key, []).append(what)
        for key, differs in by_key.items():
            self.differing[held] += 1
            if self.differing[held] <= _SHOWN:
                more = f" and {len(differs) - 3} more" if len(differs) > 3 else ""
                self.named.append(Difference(held, key, "; ".join(differs[:3]) + more))

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "fine": self.fine,
            "rounds": self.rounds,
            "sessions": self.sessions,
            "records": self.records,
            "held": [
                {"what": held, "looked_at": self.looked_at[held], "differing": self.differing[held]} for held in Held
            ],
            "differences": [difference._asdict() for difference in self.named],
        }


def validate(
    database: Database,
    settings: Settings,
    reach: ReachOf,
    progress: Progress,
    session_keys: Sequence[str] | None = None,
) -> Validated:
    """Holds the rounds of a reach, with all of their sessions, and its records against their bytes; or those of
    sessions."""
    found = Validated()
    with database.snapshot() as conn:
        if session_keys is None:
            held, damaged = files.damaged(conn)
            found.note(
                Held.BYTES, held, ((f"{digest[:12]} {' '.join(n)}", "not its bytes") for digest, n in damaged.items())
            )
            orphans = results.without_rounds(conn)
            found.note(Held.SESSIONS, len(orphans), ((key, "no round is in it") for key in orphans))
            _hold_records(conn, timing_records.keys_between(conn, reach), found, progress)
        for server in audit.servers(conn):
            stamps = parsed.stamps(conn, server)
            if session_keys is None:
                chosen = {key: at for key, at in stamps.items() if reach(server).holds(at)}
            else:
                chosen = {key: stamps[key] for key in results.rounds_in(conn, session_keys) if key in stamps}
            decided = of_kind(overrides.in_force(conn, server), OverrideKind.SESSION)
            joined = [key for key, decision in decided.items() if decision.value != CUT]
            batches = cut_into_batches(stamps, chosen, settings.session_gap, joined)
            of_server, done = settings_of(conn, settings, server), 0
            for batch in batches:
                progress(f"rounds of {server}", done, len(chosen))
                try:
                    _hold_rounds(conn, of_server, server, batch.rounds, found, with_bytes=session_keys is not None)
                except FormatError as error:  # of stats files that can't be read nothing can be worked out
                    found.note(Held.READ, 0, [(batch.rounds[0], f"a stats file around it can't be read: {error}")])
                done += len(batch.rounds)
    return found


def _hold_records(conn: Connection[DictRow], keys: Sequence[str], found: Validated, progress: Progress) -> None:
    for at in range(0, len(keys), _RECORDS_AT_ONCE):
        progress("timing records", at, len(keys))
        portion = keys[at : at + _RECORDS_AT_ONCE]
        stored = timing_records.stored_records(conn, portion)
        data = files.contents(conn, [digest for digest, _ in stored.values()])
        found.records += len(stored)
        found.note(Held.RECORDS, len(stored), _records_off(stored, data))


def _records_off(
    stored: Mapping[str, tuple[str, gametimes.TimingRecord]], data: Mapping[str, bytes]
) -> Iterator[tuple[str, str]]:
    for key, (digest, record) in stored.items():
        try:
            now, was = timing_records.said_by(gametimes.parse(data[digest])), timing_records.said_by(record)
        except (FormatError, RecursionError) as error:
            yield key, f"its bytes can't be read: {error}"
            continue
        yield from ((key, f"{name}: {was[name]!r} stored, {now[name]!r} in the file") for name in _unlike(was, now))


def _unlike(was: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    return [name for name in was if name != "raw" and was[name] != now[name]]


def _hold_bytes(conn: Connection[DictRow], digests: Mapping[str, str], found: Validated) -> None:
    whole = files.kept_whole(conn, digests.values())
    lost = (
        (key, f"the bytes are not those of {digest[:12]}") for key, digest in digests.items() if digest not in whole
    )
    found.note(Held.BYTES, len(digests), lost)


def _hold_rounds(
    conn: Connection[DictRow], settings: Settings, server: str, keys: Sequence[str], found: Validated, with_bytes: bool
) -> None:
    """Whole sessions of some rounds. ``with_bytes``: their bytes too, where not all were held already."""
    sessions = touched_sessions(conn, server, keys, settings.session_gap, placed=False)
    held = [entry.key for session in sessions for entry in session]
    rows = receipts.round_rows(conn, held)
    found.rounds += len(held)
    found.sessions += len(sessions)
    if with_bytes:
        _hold_bytes(conn, {key: row.sha256 for key, row in rows.items()}, found)
    worked_out = results_of_sessions(conn, settings, server, sessions)
    stats = (entry for read, _ in worked_out for entry in read.rounds.values())
    off = parsed.read_otherwise(conn, stats)
    found.note(Held.READ, len(held), ((key, f"{what} differs") for key, said in off.items() for what in said))
    found.note(Held.NUMBERS, len(held), _numbers_off(conn, worked_out, rows))
    players = {key: own for _, now in worked_out for key, own in now.rounds.players.items()}
    compared = comparisons.differences(conn, players)
    worst = ((key, f"{name} is off by {by}") for key, of_key in compared.items() for name, by in of_key.items() if by)
    found.note(Held.COMPARISONS, len(held), worst)
    found.note(Held.LAWS, len(held), _laws_off(conn, worked_out))
    found.note(Held.AWARDS, len(held), _awards_off(conn, server, sessions))
    _hold_sessions(conn, settings, sessions, worked_out, rows, found)


WorkedOut = Sequence[tuple[SessionRead, SessionResult]]


def _numbers_off(
    conn: Connection[DictRow], worked_out: WorkedOut, rows: Mapping[str, receipts.RoundStored]
) -> Iterator[tuple[str, str]]:
    players, weapons = receipts.players_of(conn, list(rows)), receipts.weapons_of(conn, list(rows))
    for read, result in worked_out:
        for key, now in rederived(read, result).items():
            if rows[key].status is None or rows[key].timing_status is None:
                yield key, "it was not worked out"
                continue
            for found in differences(now, rows[key], players[key], weapons[key]):
                yield key, f"{found['what']}: {found['stored']!r} stored, {found['now']!r} by the rules"


def _laws_off(conn: Connection[DictRow], worked_out: WorkedOut) -> Iterator[tuple[str, str]]:
    for read, now in worked_out:
        placed, players = now.rounds.placed, now.rounds.players
        stored = check_results.passed_of(conn, list(placed))
        for key, entry in read.rounds.items():
            place = placed[key]
            partner = read.rounds[place.partner] if place.partner else None
            outcomes: dict[CheckName, Outcome] = {
                CheckName.PAIRING: pairing_outcome(entry, place, partner),
                CheckName.CONSERVATION_LAWS: laws_outcome(entry, place, players, partner if place.goes_on else None),
                CheckName.PLAUSIBILITY: plausibility_outcome(entry, place, players),
            }
            for name, outcome in outcomes.items():
                if (was := stored.get((key, name))) is not outcome.passed:
                    said = "was never looked at" if was is None else "passed then" if was else "did not pass then"
                    yield key, f"{name} {said}, {'passes' if outcome.passed else 'does not pass'} now"


def _awards_off(
    conn: Connection[DictRow], server: str, sessions: Sequence[Sequence[Stamped]]
) -> Iterator[tuple[str, str]]:
    try:
        now = awards_of_sessions(conn, server, sessions)
    except FormatError as error:
        if len(sessions) == 1:
            yield sessions[0][0].key, f"an endstats file of its session can't be read: {error}"
            return
        for session in sessions:
            yield from _awards_off(conn, server, [session])
        return
    awards, duels = stored_endstats.stored_endstats(conn, list(now.links))
    for key in now.links:
        if awards.get(key, []) != stored_endstats.award_rows(now.awards.get(key, ())):
            yield key, "its awards differ"
        if duels.get(key, []) != stored_endstats.duel_rows(now.duels.get(key, ())):
            yield key, "who killed whom differs"


def _hold_sessions(
    conn: Connection[DictRow],
    settings: Settings,
    sessions: Sequence[Sequence[Stamped]],
    worked_out: WorkedOut,
    rows: Mapping[str, receipts.RoundStored],
    found: Validated,
) -> None:
    keys = results.keys_if_first(conn, [session[0].key for session in sessions])
    of_sessions = [keys[session[0].key] for session in sessions]
    found.note(Held.SESSIONS, len(sessions), _places_off(sessions, of_sessions, rows))
    teams_off: list[tuple[str, str]] = []
    matches_off: list[tuple[str, str]] = []
    stored = matches.stored_matches(conn, of_sessions)
    teams_stored = results.teams_stored(conn, of_sessions)
    players, named = teams.players_of(conn, of_sessions), results.teams_named(conn, of_sessions)
    lost = ((key, team) for key in of_sessions for team in Team if (key, team) not in named)
    teams_off += [(key, f"team {team} is not stored") for key, team in lost]
    count = 0
    for key, (_, now) in zip(of_sessions, worked_out, strict=True):
        own_stored = teams_stored.get(key, {})
        teams_off += [(key, f"{guid} is not stored") for guid in sorted(players[key].keys() - own_stored.keys())]
        teams_off += [(key, f"{guid} did not play") for guid in sorted(own_stored.keys() - players[key].keys())]
        for guid, team in own_stored.items():
            if team != (by_rules := now.teams.team_of.get(guid)):
                teams_off.append((key, f"{guid}: {team} stored, {by_rules} by the rules"))
        expected = {
            match.first.match_key: matches.match_row(match, key, position, settings.scoring_policy)
            for position, match in enumerate(now.matches, start=1)
        }
        own = {match: row for match, row in stored.items() if row[1] == key}
        count += len(expected)
        matches_off += [
            (match, _match_off(own.get(match), expected.get(match)))
            for match in sorted(own.keys() | expected.keys())
            if own.get(match) != expected.get(match)
        ]
    found.note(Held.TEAMS, len(sessions), teams_off)
    found.note(Held.MATCHES, count, matches_off)
    for kept in KEPT:
        off = differing_facts(conn, kept, of_sessions)
        found.note(
            Held.FACTS, len(of_sessions), ((key, f"{kept[0]} differs in {rows} rows") for key, rows in off.items())
        )


def _places_off(
    sessions: Sequence[Sequence[Stamped]], keys: Sequence[str], rows: Mapping[str, receipts.RoundStored]
) -> Iterator[tuple[str, str]]:
    for key, session in zip(keys, sessions, strict=True):
        for position, entry in enumerate(session, start=1):
            row = rows[entry.key]
            if (row.session_key, row.session_position) != (key, position):
                yield key, f"{entry.key} is stored as number {row.session_position} of {row.session_key}"


def _match_off(was: Sequence[object] | None, now: Sequence[object] | None) -> str:
    if was is None or now is None:
        return "it is not stored" if was is None else "it is no match by the rules"
    return ", ".join(f"{a!r} stored, {b!r} by the rules" for a, b in zip(was, now, strict=True) if a != b)
