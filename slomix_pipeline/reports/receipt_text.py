"""A receipt (``slomix.receipt/1``) as people read it in a terminal.

Belongs here: order, wording and tables. Does not belong here: finding anything out (``receipts``).
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from rich.table import Table

from slomix_pipeline.cli.terminal import Terminal
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.reports.player_receipts import Made
from slomix_pipeline.reports.wording import facts, number, span
from slomix_pipeline.rules.differential import (
    CARRIED_OVER,
    COUNTER_RESET,
    CUMULATIVE,
    DEAD_TIME_CAPPED,
    NO_IDENTITY,
    STAYED_LONGER,
)
from slomix_pipeline.rules.pairing import (
    COUNTS_ON,
    GAP_UNUSUAL,
    HALF_AS_FIRST,
    LIMIT_LONGER,
    LIMIT_SHORTENED,
    LIMIT_UNKNOWN,
    PLAYED_AS_FIRST,
    SIDES_UNSEEN,
)
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.timing import SOURCE_WORDS, pauses_text
from slomix_pipeline.rules.values import Status

FLAGS = {
    LIMIT_UNKNOWN: "whether round 2's limit is round 1's time can't be told",
    LIMIT_LONGER: "round 2's limit is not round 1's time",
    LIMIT_SHORTENED: "round 2's limit is below round 1's time, as scripts shorten it on some maps",
    GAP_UNUSUAL: "an unusually long time lies between the two rounds",
    HALF_AS_FIRST: "it may be half of one match with another round 1: slomix override pair makes them one",
    SIDES_UNSEEN: "nobody is known to have stood on a side in both rounds, so nobody saw that they swapped",
    PLAYED_AS_FIRST: "a round 2 by a decision of people: its file is that of a round 1",
    COUNTS_ON: "it counts on from the round 1 all the same: its numbers are the difference",
    "stamp_ambiguous": "the stamp lies in the hour that the clock change repeats; the earlier one is taken",
    COUNTER_RESET: "counters began anew after round 1: taken as they are",
    CARRIED_OVER: "counters go on from the file before, so hold more than this round: unknown",
    STAYED_LONGER: "there for longer than the round can have lasted, so counters hold more than it: unknown",
    CUMULATIVE: "counters hold round 1 too, of which his part is not known: unknown",
    NO_IDENTITY: "no GUID of his own in the file: in no team, and in no total over rounds",
    DEAD_TIME_CAPPED: "the file has him dead for longer than he was there: capped",
}
_TITLE_WIDTH = 7
_DIFFERENCES_SHOWN = 15
_SIGNS_SHOWN = 3


def print_receipt(out: Terminal, receipt: dict[str, Any]) -> None:
    """Prints a whole receipt."""
    out.print(receipt["key"], style="bold", soft_wrap=True)
    _print_sections(out, _sections(receipt))
    if "players" in receipt:
        out.print()
        _print_table(
            out,
            ("line", "GUID", "name", "side", "team", "kills", "deaths", "damage given", "damage received"),
            [_player_row(player) for player in receipt["players"]],
        )
    if "player" in receipt:
        _print_player(out, receipt["player"])


def _print_sections(out: Terminal, sections: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Titles on the left; long lines are folded in a terminal and whole in a pipe."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="bold", width=_TITLE_WIDTH)
    grid.add_column(overflow="fold")
    for title, lines in sections:
        for position, line in enumerate(lines):
            shown = title if position == 0 else ""
            if out.is_terminal:
                grid.add_row(shown, line)
            else:
                out.print(f"{shown:{_TITLE_WIDTH}}  {line}", soft_wrap=True)
    if out.is_terminal:
        out.print(grid)


def _print_table(out: Terminal, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    table = Table(box=None)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(table)


def _sections(receipt: dict[str, Any]) -> Iterator[tuple[str, Iterable[str]]]:
    yield "file", _file(receipt)
    if "round" in receipt:
        yield "header", _header(receipt["header"])
        yield "played", _played(receipt["round"])
        yield "pairing", _pairing(receipt["round"], receipt["pairing"])
        yield "counts", [_counts(receipt["round"])]
        yield "length", _length(receipt["duration"])
        yield "timing", _timing(receipt["timing"])
        yield "match", [_match(receipt["match"], receipt["round"])]
        yield "awards", _awards(receipt["endstats"])
        yield "flags", _flags(receipt)
    else:
        yield "begins", [receipt["file"]["first_line"] or "nothing is stored of it"]
    yield "checks", [_check(check) for check in receipt["checks"]] or ["none looked at it so far"]
    if "differs_from_rules" in receipt:
        yield "rules", _rules(receipt["differs_from_rules"])


def _file(receipt: dict[str, Any]) -> Iterator[str]:
    file = receipt["file"]
    source = "an import" if file["from"] == "import" else "the game server"
    yield f"{file['name']} of server {file['server']}, from {source}"
    yield file["status"] + (f": {file['reason']}" if file["reason"] else "")
    parts = [f"{file['size']} bytes" if file["size"] is not None else "size unknown"]
    if file["lines"] is not None:
        parts.append(f"{file['lines']} line{'s' * (file['lines'] != 1)} ending with {file['line_ends']}")
    yield ", ".join([*parts, file["generation"] or "not read as a stats file"])
    yield f"sha256 {file['sha256'] or 'none: its bytes never came'}"
    for replaced in (c["facts"]["replaces"] for c in receipt["checks"] if "replaces" in c["facts"]):
        yield f"took the place of an earlier version, sha256 {replaced}"
    yield f"first seen {file['first_seen_at']}, bytes first stored {file['arrived_at'] or 'never'}"
    if file["read_sha256"] not in (None, file["sha256"]):
        yield f"all below is of an earlier version, sha256 {file['read_sha256']}"


def _header(header: dict[str, Any]) -> Iterator[str]:
    written, read = header["as_written"], header["as_read"]
    yield header["line"]
    won = {True: "the attackers won", False: "the attackers did not win", None: "who won is not said"}
    yield f"defender {read['defender']}, winner {read['winner']}: {won[read['attackers_won']]}"
    times = ((written["limit"], read["limit_seconds"]), (written["attack_time"], read["attack_seconds"]))
    limit, attack = (f"{text!r} = {'unknown' if value is None else f'{value} s'}" for text, value in times)
    playtime = "not written by this generation"
    if written["playtime"] is not None:
        known = read["playtime_seconds"]
        playtime = f"{written['playtime']!r} = {'unknown' if known is None else f'{number(known)} s'}"
    yield f"limit {limit}, attack time {attack}, play time {playtime}"
    yield f"map {written['map']}, config {written['config']}, round {written['round']} by the header"


def _played(round_: dict[str, Any]) -> Iterator[str]:
    age = span(timedelta(seconds=round_["age_seconds"]))
    yield f"until {round_['stamp_local']} server time = {round_['ended_at']}, {age} ago"
    if round_["session"]:
        yield f"round {round_['position']} of session {round_['session']}"


def _pairing(round_: dict[str, Any], evidence: dict[str, Any] | None) -> Iterator[str]:
    if round_["status"] is None:
        yield "not worked out yet"
        return
    age = "" if round_["status"] == Status.COMPLETE else f", {span(timedelta(seconds=round_['age_seconds']))} old"
    yield f"{round_['status']}{age}" + (f": {round_['reason']}" if round_["reason"] else "")
    if round_["label"] != round_["number"]:
        yield f"its file says round {round_['label']}, it really was round {round_['number']}"
    if evidence:
        yield f"partner {evidence['partner']}, {format_time(evidence['gap_seconds'])} min between the stamps"
        for law in evidence["laws"]:
            holds = {True: "yes", False: "no", None: "can't be compared"}[law["holds"]]
            yield f"{law['law']}: {holds}, {law['numbers']}"


def _counts(round_: dict[str, Any]) -> str:
    if round_["status"] is None:
        return "not worked out yet"
    if round_["valid"]:
        return "yes"
    stands = "" if round_["unscored_reason"] else "; the match's result stands"
    return f"no: {round_['invalid_reason']}{stands}"


def _length(duration: dict[str, Any]) -> Iterator[str]:
    if duration["source"] is None:
        yield "unknown"
    else:
        yield f"{number(duration['seconds'])} s, from {SOURCE_WORDS[duration['source']]}"
        yield f"the stopwatch showed {duration['stopwatch']}; {_GAVE_UP[duration['surrendered']]}"
    for source in duration["sources"]:
        value = "" if source["seconds"] is None else f"{number(source['seconds'])} s, "
        yield f"{source['source']}: {value}{source['why']}"


_GAVE_UP = {
    "axis": "Axis gave up",
    "allies": "Allies gave up",
    "nobody": "nobody gave up",
    None: "whether anybody gave up is unknown",
}


def _timing(timing: dict[str, Any]) -> Iterator[str]:
    if timing["status"] is None:
        yield "not worked out yet"
        return
    yield f"{timing['status']}; link {timing['link_class']}" + (f": {timing['reason']}" if timing["reason"] else "")
    if record := timing["record"] or timing["candidate"]:
        use = "linked" if timing["record"] else "shown only, not used"
        apart = timing["stamp_minus_record_end"]
        when = f"{number(abs(apart))} s {'after' if apart < 0 else 'before'} the file's stamp"
        yield f"{use}: {record}, {number(timing['record_seconds'])} s long, ended {when}"
        pauses = pauses_text(timing["pause_count"], timing["pause_seconds"])
        yield "it says: " + ", ".join(
            [timing["exit_print"] or timing["end_reason"] or "no reason", *([pauses] if pauses else [])]
        )
        yield f"its sha256 {timing['record_sha256']}"


_WON = {Winner.A: "Team A won", Winner.B: "Team B won", Winner.DRAW: "a draw", None: "not counted"}


def _match(match: dict[str, Any] | None, round_: dict[str, Any]) -> str:
    if match is None:
        return "none: " + ("not worked out yet" if round_["status"] is None else f"the round is {round_['status']}")
    won = _WON[match["winner"]]
    by = f" by the {match['source']}" if match["source"] else ""
    return (
        f"match {match['position']} of the session, {match['status']}: {won}{by} ({match['reason']}; {match['policy']})"
    )


def _awards(endstats: dict[str, Any]) -> Iterator[str]:
    if not endstats["files"]:
        yield f"none: {endstats['reason'] or 'not looked for yet'}"
        return
    yield f"{endstats['awards']} awards, {endstats['duels']} lines of who killed whom"
    yield from (f"from {key}.txt" for key in endstats["files"])


def _flags(receipt: dict[str, Any]) -> list[str]:
    """Each flag with its meaning and, where it is players', who has it and what told."""
    said = [_explained(flag) for flag in receipt["round"]["flags"]]
    flagged: dict[str, list[str]] = {}
    for player in receipt.get("players", ()):
        for flag in player["flags"] or ():
            flagged.setdefault(flag, []).append(f"{player['guid']} {player['name']}{_what_told(flag, player)}")
    said += [f"{_explained(flag)}: {', '.join(players)}" for flag, players in flagged.items()]
    return said or ["none"]


def _explained(flag: str) -> str:
    return f"{flag} ({FLAGS[flag]})" if flag in FLAGS else flag


def _what_told(flag: str, player: dict[str, Any]) -> str:
    if flag == DEAD_TIME_CAPPED:
        return f" ({player['seconds_dead_raw']} s, capped at {player['seconds_dead']} s)"
    if flag != COUNTER_RESET:
        return ""
    signs = player["signs"]
    more = [f"and {len(signs) - _SIGNS_SHOWN} more signs"] if len(signs) > _SIGNS_SHOWN else []
    return f" ({'; '.join([*signs[:_SIGNS_SHOWN], *more])})"


def _check(check: dict[str, Any]) -> str:
    return f"{'passed' if check['passed'] else check['severity']}  {check['name']}: {facts(check['facts'])}"


def _rules(differing: list[dict[str, Any]]) -> Iterator[str]:
    if not differing:
        yield "worked out again just now from the stored bytes: every stored number of the round is the same"
        return
    yield "stored is older than the rules or than a file: materialise round_stats of this round and all after it"
    for one in differing[:_DIFFERENCES_SHOWN]:
        yield f"{one['what']}: stored {one['stored']}, now {one['now']}"
    if len(differing) > _DIFFERENCES_SHOWN:
        yield f"and {len(differing) - _DIFFERENCES_SHOWN} more"


def _player_row(player: dict[str, Any]) -> tuple[Any, ...]:
    side = {1: "Axis", 2: "Allies", None: "unknown" if player["has_entry"] else "sat out"}[player["side"]]
    sums = (
        _sum(player[name], player[f"file_{name}"], player[f"first_{name}"], player["made"])
        for name in ("kills", "deaths", "damage_given", "damage_received")
    )
    return (player["line"], player["guid"], player["name"], side, player["team"], *sums)


def _sum(own: float | None, file: float | None, first: float | None, made: Made) -> str:
    """An own number with the subtraction it came from, where there was one."""
    if made is Made.ABSENT:
        return ""
    if own is None:
        return f"unknown of {number(file)}"
    if made is not Made.DIFFERENCE or file is None or first is None:
        return number(own)
    text = f"{number(file)}-{number(first)}"
    return f"{text}={number(own)}" if file - first == own else f"{text}, kept as {number(own)}"


def _print_player(out: Terminal, player: dict[str, Any]) -> None:
    out.print()
    out.print(f"{player['guid']} {player['name']}", style="bold", soft_wrap=True)
    _print_sections(out, _player_sections(player))
    for line in (player["line"], player["round_1_line"]):
        if line:
            out.print()
            out.print(f"line {line['number']} of {line['file']}:", soft_wrap=True)
            out.print(line["text"].replace("\t", " "), soft_wrap=True)
    out.print()
    out.print("The first five are sums over his weapons; headshots are hits on heads.", soft_wrap=True)
    _print_table(out, ("field", "round 1's file", "this file", "rule", "own number", "how"), _field_rows(player))
    out.print()
    _print_table(out, ("weapon", *_WEAPON_COLUMNS), _weapon_rows(player))


def _player_sections(player: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    stood = f"{player['side'] or 'unknown'}; the file says {player['side_in_file']}"
    rounds = f"`rounds` is {player['rounds']}"
    if player["side_in_round_1"]:
        stood += f", round 1's file {player['side_in_round_1']}"
        rounds += f", and {player['rounds_in_round_1']} in round 1's file"
    yield "side", [stood]
    yield "team", [player["team"] or "open"]
    yield "how", [player["how"], *(player["signs"] or [rounds])]
    yield "flags", [_explained(flag) for flag in player["flags"]] or ["none"]


def _field_rows(player: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for field in player["fields"]:
        unit = " s" if field["own_as"].startswith("seconds_") and field["own"] is not None else ""
        first, this, own = ("" if field[n] is None else number(field[n]) for n in ("round_1", "file", "own"))
        yield field["field"], first, this, field["policy"], own + unit, field["how"]


_WEAPON_COLUMNS = ("kills", "deaths", "hits", "shots", "headshots")


def _weapon_rows(player: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    nothing = None if player["made"].holds_more else 0  # a weapon without a row counted nothing
    for row in player["weapons"]:
        cells = (
            [row[where][column] if row[where] else nothing for where in ("own", "file", "round_1")]
            for column in _WEAPON_COLUMNS
        )
        yield row["weapon"], *(_sum(own, file, first, player["made"]) for own, file, first in cells)
