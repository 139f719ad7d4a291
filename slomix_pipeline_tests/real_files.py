"""Files of real evenings, which are not part of the project: read, and worked out into sessions."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from pathlib import Path

from slomix_pipeline.formats.errors import FormatError
from slomix_pipeline.formats.filenames import FileKind, parse_file_name
from slomix_pipeline.formats.gamestats import parse
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.pairing import Placed, pair_rounds
from slomix_pipeline.rules.rounds import own_numbers
from slomix_pipeline.rules.scoring import score_match
from slomix_pipeline.rules.teams import Lineup, SessionTeams, assign_teams
from slomix_pipeline.rules.validity import validity
from slomix_pipeline.rules.values import FiledRound

FOLDER = Path(os.environ.get("SLOMIX_REAL_FILES") or Path(__file__).parents[2] / "shared" / "real") / "gamestats"

# kills, deaths, damage given and received, minutes, DPM, accuracy %, headshot %, minutes dead (capped per round)
TOTALS_2025_10_02 = [
    (183, 130, 32585, 29255, 114.9, 283.6, 39.70, 13.27, 41.1),
    (166, 142, 36131, 32193, 114.9, 314.5, 43.39, 8.55, 49.9),
    (163, 177, 31360, 30440, 114.9, 272.9, 36.23, 13.34, 55.6),
    (148, 184, 27584, 31507, 114.9, 240.1, 38.53, 14.04, 66.7),
    (146, 136, 31304, 33076, 114.9, 272.4, 38.87, 8.11, 45.9),
    (121, 158, 26347, 28840, 114.9, 229.3, 32.29, 10.18, 55.1),
]


@dataclass(frozen=True)
class Session:
    """A session taken through the rules; everything by the file stem of the round."""

    rounds: list[FiledRound]

    @cached_property
    def placed(self) -> dict[str, Placed]:
        return pair_rounds(self.rounds)

    @cached_property
    def players(self) -> dict[str, list[RoundPlayer]]:
        return own_numbers(self.rounds, self.placed)

    @cached_property
    def lineups(self) -> dict[str, Lineup]:
        """Of the valid rounds."""
        return {
            r.key: Lineup(r.key, r.number, {p.guid: p.side for p in self.players[r.key] if p.side})
            for r in self.rounds
            if validity(r, self.placed[r.key], self.players[r.key], ()) == (None, None)
        }

    @property
    def matches(self) -> list[tuple[FiledRound, FiledRound]]:
        by_key = {r.key: r for r in self.rounds}
        placed = [self.placed[r.key] for r in self.rounds]
        return [(by_key[p.key], by_key[p.partner]) for p in placed if p.number == 1 and p.partner]

    @cached_property
    def teams(self) -> SessionTeams:
        return assign_teams(list(self.lineups.values()))

    @property
    def winners(self) -> str:
        """One letter per match, ``-`` for a draw."""
        teams = self.teams.team_of
        results = [
            score_match(a.stats.header, b.stats.header, self.lineups[a.key].sides, self.lineups[b.key].sides, teams)
            for a, b in self.matches
        ]
        return "".join({"draw": "-", None: "?"}.get(r.winner, r.winner or "") for r in results)


def read_all() -> dict[str, FiledRound]:
    """Every real stats file that can be read, by its stem."""
    rounds = {}
    for path in sorted(FOLDER.iterdir()):
        name = parse_file_name(path.name)
        if name.kind is not FileKind.STATS or name.stamp is None or name.number is None:
            continue
        try:
            rounds[name.stem] = FiledRound(
                name.stem, name.stamp.replace(tzinfo=UTC), name.number, parse(path.read_bytes())
            )
        except FormatError:
            continue
    return rounds


def session_of(sessions: dict[str, Session], stem: str) -> Session:
    return next(s for s in sessions.values() if stem in s.players)


def known(value: int | None) -> int:
    assert value is not None
    return value


def damage(player: RoundPlayer) -> tuple[int, int]:
    """Given and received."""
    return known(player.counters["damage_given"]), known(player.counters["damage_received"])


def kills_deaths_damage(players: Iterable[RoundPlayer]) -> list[tuple[int, int, int]]:
    return sorted((known(p.kills), known(p.deaths), damage(p)[0]) for p in players)
