"""What is said of boards, players, maps and records, in words players read.

Belongs here: wording and order. Facts come as ``warehouse`` gives them, numbers as ``reports.career_words`` has them;
limits are ``embeds``' business.
Does not belong here: sending, and messages of matches and sessions (``messages``).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from slomix_pipeline.discord.embeds import Embed, Field, Message, block, escape, fields_of_lines
from slomix_pipeline.discord.wording import (
    MAP_WIDTH,
    NEUTRAL,
    columns,
    map_text,
    player_text,
    short_text,
    team_text,
    unbroken,
)
from slomix_pipeline.formats.weapons import weapon_called
from slomix_pipeline.reports.career_words import (
    CAREER_NUMBERS,
    CareerNumber,
    accuracy_text,
    amount,
    badge_text,
    board_heading,
    board_value,
    count,
    deed_text,
    equalled_text,
    feat_text,
    milestone_text,
    progress_text,
    record_title,
    record_value,
    rounds_text,
    samples_text,
    standing_text,
    usual_text,
    value_of_kind,
)
from slomix_pipeline.reports.map_words import (
    advantage_text,
    attacks_text,
    card_text,
    curves_text,
    finish_text,
    quartiles_text,
)
from slomix_pipeline.rules.boards import Board, Threshold
from slomix_pipeline.rules.milestones import Milestone
from slomix_pipeline.rules.records import KINDS, PersonalBest, RecordKind, RecordLevel
from slomix_pipeline.warehouse.boards import BoardRow
from slomix_pipeline.warehouse.careers import Career, NightSeen, Unlocked, WeaponSeen
from slomix_pipeline.warehouse.deeds import DeedSeen
from slomix_pipeline.warehouse.fallen_records import FallenRecord
from slomix_pipeline.warehouse.map_cards import Finish
from slomix_pipeline.warehouse.maps import MapSeen
from slomix_pipeline.warehouse.records import RecordSeen
from slomix_pipeline.warehouse.standings import Meetings

BOARD_COLOUR = 0xF1C40F
BOARD_ROOM = 3000  # for its players: a board is one message, and who finds no room is counted
MOST_NAMES = 6  # of a team, or that somebody played under
MOST_MILESTONES = 5


def board_message(
    board: Board,
    needed: Threshold,
    rows: Sequence[BoardRow],
    as_of: datetime,
    map_name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Message:
    """A board, first place first; who finds no room is counted. ``as_of``: when all that is said was so, as in all of
    these messages; none of them is corrected later."""
    heading = escape(board_heading(board, needed, since, until))
    lines = [
        f"`{row.rank:>2}` **{player_text(row.name)}** · {board_value(board, row)} · {rounds_text(row)}" for row in rows
    ]
    embed = Embed(
        title=board.title + (f" · {map_text(map_name)}" if map_name else ""),
        description=f"-# {heading}\n{as_of_text(as_of)}" + ("" if rows else "\nNobody has played enough for it."),
        color=BOARD_COLOUR,
        fields=fields_of_lines("Players", lines, room=BOARD_ROOM) if lines else (),
    )
    return Message(embeds=(embed,))


class CareerBlock(StrEnum):
    """The titles of what is told of a career."""

    NUMBERS = "Career"
    NIGHTS = "Latest nights"
    WEAPONS = "Weapons"
    BADGES = "Badges"
    REACHED = "Reached last"
    FIRSTS = "Firsts"
    NEXT = "Next"
    BESTS = "Best rounds"


Block = tuple[str, list[str]]  # a title, and the lines below it


def player_message(career: Career, as_of: datetime, blocks: Iterable[Block] | None = None) -> Message:
    """A player's career; ``blocks``: what is told of it, if not all of ``career_blocks``."""
    names = [player_text(alias.name) for alias in career.aliases if alias.name != career.name]
    first, last = (int(at.timestamp()) for at in (career.numbers.first_played_at, career.numbers.last_played_at))
    embed = Embed(
        title=player_text(career.name),
        description="\n".join(
            [
                f"Matches: {standing_text(career.standing)}",
                f"-# <t:{first}:d> to <t:{last}:d>" + (f" · also {_some(names)}" if names else ""),
                as_of_text(as_of),
            ]
        ),
        color=NEUTRAL,
        footer=career.guid,
        fields=tuple(
            field
            for title, lines in (career_blocks(career) if blocks is None else blocks)
            for field in block(title, lines)
        ),
    )
    return Message(embeds=(embed,))


def career_blocks(career: Career) -> Iterator[tuple[CareerBlock, list[str]]]:
    """All that is told of a career."""
    yield CareerBlock.NUMBERS, [f"{number.title}: **{number.text(career)}**" for number in CAREER_NUMBERS]
    yield (
        CareerBlock.NIGHTS,
        [f"-# K/D · damage per minute · rounds; {usual_text(career.form)}", *_nights(career.form.nights)],
    )
    yield CareerBlock.WEAPONS, [_weapon(own) for own in career.weapons]
    yield CareerBlock.BADGES, [badge_text(own) for own in career.progress if own.badge is not None]
    yield CareerBlock.REACHED, [_milestone(own) for own in career.milestones[: -MOST_MILESTONES - 1 : -1]]
    yield CareerBlock.FIRSTS, [_deed(own) for own in career.deeds]
    ahead = [own for own in career.progress if own.next_step is not None]
    yield CareerBlock.NEXT, [progress_text(own, career.numbers.rounds) for own in ahead]
    yield CareerBlock.BESTS, [_record(best, with_holders=False) for best in career.bests]


def compare_message(one: Career, other: Career, met: Meetings, as_of: datetime) -> Message:
    """Two players side by side; of a ratio the higher is bold."""
    first, second = player_text(one.name), player_text(other.name)
    embed = Embed(
        title=f"{first} and {second}",
        description="\n".join(
            [
                f"Together: {standing_text(met.together)}",
                f"Against each other, {first}: {standing_text(met.against)}",
                as_of_text(as_of),
            ]
        ),
        color=NEUTRAL,
        footer=f"{one.guid} · {other.guid}",
        fields=block(f"{first} – {second}", [_compared(number, one, other) for number in CAREER_NUMBERS]),
    )
    return Message(embeds=(embed,))


def records_message(records: Sequence[RecordSeen], as_of: datetime, map_name: str | None = None) -> Message:
    """The records, of rounds, matches, sessions and attacks."""
    embed = Embed(
        title="Records" + (f" · {map_text(map_name)}" if map_name else ""),
        description=f"-# {escape(samples_text())}\n{as_of_text(as_of)}" + ("" if records else "\nNone yet."),
        color=BOARD_COLOUR,
        fields=tuple(_record_blocks(records)),
    )
    return Message(embeds=(embed,))


def map_message(seen: MapSeen, as_of: datetime) -> Message:
    """A map: how fast its attacks are, how often it is held, whether attacking first pays, its records."""
    last = int(seen.last_played_at.timestamp())
    others = f"-# Left out, as their limit was another: {count(seen.other_limits, 'attack')}"
    embed = Embed(
        title=map_text(seen.name),
        description="\n".join(
            [
                f"{count(seen.matches, 'decided match', 'decided matches')}, last played <t:{last}:d>",
                f"**{escape(card_text(seen))}**",
                *([f"-# {escape(more)}"] if (more := curves_text(seen.curves)) else []),
                f"Attacks: {escape(attacks_text(seen))}",
                *([others] if seen.other_limits else []),
                *([f"Defences fallen: {escape(fallen)}"] if (fallen := quartiles_text(seen)) else []),
                f"Won by who attacked first: {escape(advantage_text(seen))}",
                f"-# {escape(samples_text())}",
                as_of_text(as_of),
            ]
        ),
        color=NEUTRAL,
        fields=(*block("Closest finishes", list(map(_finish, seen.finishes))), *_record_blocks(seen.records)),
    )
    return Message(embeds=(embed,))


def _finish(own: Finish) -> str:
    return f"{team_text(own.team)} {escape(finish_text(own))} · <t:{int(own.ended_at.timestamp())}:d>"


def as_of_text(moment: datetime) -> str:
    """When what a message says was so."""
    return f"-# As of <t:{int(moment.timestamp())}:f>"


def _record_blocks(records: Sequence[RecordSeen]) -> Iterator[Field]:
    for level in RecordLevel:
        of_level = [own for own in records if own.level is level and own.kind is not RecordKind.ATTACK]
        yield from block(f"In one {level.value}", [_record(own) for own in of_level])
    attacks = [own for own in records if own.kind is RecordKind.ATTACK]
    yield from block("Fastest attacks", [_attack(own) for own in attacks])


def reached_lines(unlocked: Sequence[Unlocked]) -> list[str]:
    """Lines for a session's report: what each player reached for the first time."""
    return [
        f"**{player_text(own.player.name)}** · "
        f"{', '.join([*map(milestone_text, own.milestones), *map(deed_text, own.deeds)])}"
        for own in unlocked
    ]


def fallen_record_text(record: FallenRecord) -> str:
    """A line for a session's report: what was reached, by whom and where, what stood before and since when."""
    new, old = record.new, record.old
    over = "" if new.kind is RecordKind.ATTACK else f" in a {new.level.value}"
    names, names_before = (_some([player_text(name) for name in held.names]) for held in (new, old))
    where = map_text(new.map) if new.map else ""
    stood = ", ".join(part for part in (names_before, f"<t:{int(old.ended_at.timestamp())}:R>") if part)
    before = f"before {value_of_kind(old.kind, old.value)} ({stood})"
    what = f"**{feat_text(new.kind, new.value)}**{over}"
    return " · ".join(part for part in (what, names, where, before) if part)


def personal_best_text(best: PersonalBest) -> str:
    """A line for a session's report: what was beaten, and how long that had stood."""
    new, old = (value_of_kind(night.kind, night.value) for night in (best.best, best.old))
    title, ago = KINDS[best.best.kind].title, count(best.stood, "night")
    return f"**{player_text(best.best.name)}** · {title} **{new}**, best so far was {old} ({ago} ago)"


def _nights(nights: Sequence[NightSeen]) -> list[str]:
    numbers = columns((amount(night.kd, 2), amount(night.dpm, 1), str(night.rounds)) for night in nights)
    return [f"{shown} <t:{int(night.ended_at.timestamp())}:d>" for shown, night in zip(numbers, nights, strict=True)]


def _weapon(own: WeaponSeen) -> str:
    accuracy = f" · {unbroken(accuracy_text(own))} accuracy" if accuracy_text(own) else ""
    return f"{short_text(weapon_called(own.weapon), MAP_WIDTH)} · {count(own.kills, 'kill')}{accuracy}"


def _milestone(own: Milestone) -> str:
    return f"{milestone_text(own)} · <t:{int(own.reached.stamp.timestamp())}:d> · {map_text(own.reached.map)}"


def _deed(own: DeedSeen) -> str:
    where = f" · {map_text(own.map)}"
    return f"{deed_text(own)} · <t:{int(own.stamp.timestamp())}:d>{where}"


def _compared(number: CareerNumber, one: Career, other: Career) -> str:
    values = [number.of(career.numbers) for career in (one, other)]
    texts = [number.text(career) for career in (one, other)]
    if number.compares and values[0] is not None and values[1] is not None and values[0] != values[1]:
        higher = values[1] > values[0]
        texts[higher] = f"**{texts[higher]}**"
    return f"{number.title}: {' – '.join(texts)}"


def titled_record_text(record: RecordSeen) -> str:
    """A record beside others of any kind and level: also what it is of."""
    return f"{record_title(record)} **{record_value(record)}**{_facts(record)}"


def _record(record: RecordSeen, *, with_holders: bool = True) -> str:
    return f"{KINDS[record.kind].title} **{record_value(record)}**{_facts(record, with_holders=with_holders)}"


def _attack(record: RecordSeen) -> str:
    """The record of a map leads with the map, and ends with whoever took part."""
    where = f"**{map_text(record.map)}** " if record.map else ""
    return f"{where}{record_value(record)}" + _joined([_day(record), *_held(record), *_again(record)])


def _facts(record: RecordSeen, *, with_holders: bool = True) -> str:
    where = unbroken(f"{map_text(record.map)} · {_day(record)}") if record.map else _day(record)
    return _joined([*_held(record), where, *_again(record)] if with_holders else [where])


def _held(record: RecordSeen) -> list[str]:
    return [_some([player_text(name) for name in record.holders])] if record.holders else []


def _again(record: RecordSeen) -> list[str]:
    return [unbroken(equalled_text(record))] if record.equalled else []


def _day(record: RecordSeen) -> str:
    return f"<t:{int(record.ended_at.timestamp())}:d>"


def _joined(facts: Sequence[str]) -> str:
    """Facts behind another one; no line begins with the point between two."""
    return "".join(f"{unbroken(' ·')} {fact}" for fact in facts)


def _some(names: Sequence[str]) -> str:
    """The first of some names, and how many there are more."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
