"""How long the pictures of a session take from a cold start, each by itself, and what they weigh.

Draws the pictures of an ordinary evening and of a very long one in a new process each: from the start of the process to
the last picture, and in it what loading takes. Nothing is read from a database.

    .venv/bin/python benchmarks/pictures.py [--keep FOLDER]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

from slomix_pipeline.charts.facts import AttackFacts, MatchFacts, PlayerFacts, RoundFacts, SessionFacts
from slomix_pipeline.rules.scoring import Winner
from slomix_pipeline.rules.team_names import UNNAMED
from slomix_pipeline.rules.teams import Team, other_team
from slomix_pipeline.rules.timing import AttackEnd

AIM = 3.0  # seconds for all pictures of a session
MAPS = ("supply", "te_escape2", "etl_adlernest", "sw_goldrush_te", "et_brewdog", "etl_frostbite", "erdenberg_t2")


@dataclass(frozen=True)
class Size:
    """How much an evening has to show."""

    name: str
    matches: int
    players: int


SIZES = (Size("6 v 6, 7 matches", 7, 12), Size("20 v 20, 20 matches", 20, 40))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keep", type=Path, help="where the pictures of the first evening are kept")
    parser.add_argument("--draw", type=int, help="draws those of one evening, in this process")
    given = parser.parse_args()
    if given.draw is not None:
        draw(evening(SIZES[given.draw]), given.keep)
        return
    print(f"{'seconds from a cold start':<28}{'all':>7}  of which loading, and each picture (kB)")
    slow = False
    for number, size in enumerate(SIZES):
        with tempfile.TemporaryDirectory() as name:
            folder = given.keep if given.keep and number == 0 else Path(name)
            command = [sys.executable, __file__, "--draw", str(number), "--keep", str(folder)]
            began = time.perf_counter()
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            seconds = time.perf_counter() - began
        slow |= seconds > AIM
        print(f"{size.name:<28}{seconds:>7.2f}  {told}")
    print(f"{'the aim':<28}{AIM:>7.2f}  {'missed' if slow else 'met'}")


def draw(facts: SessionFacts, folder: Path) -> None:
    """Draws all pictures, and says what took how long."""
    began = time.perf_counter()
    from slomix_pipeline.charts.render import png, svg
    from slomix_pipeline.charts.session import session_charts

    told = [f"loading {time.perf_counter() - began:.2f}"]
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    charts = session_charts(facts)
    told.append(f"specs {time.perf_counter() - began:.2f}")
    for chart in charts:
        began = time.perf_counter()
        picture = png(svg(chart))
        told.append(f"{chart.name} {time.perf_counter() - began:.2f} ({len(picture) / 1000:.0f})")
        (folder / f"{chart.name}.png").write_bytes(picture)
    print(", ".join(told))


def evening(size: Size) -> SessionFacts:
    """An invented evening, always the same."""
    chance = Random(size.players)
    matches: list[MatchFacts] = []
    for at in range(size.matches):
        winner = chance.choice((Winner.A, Winner.B))
        a, b = (matches[-1].score_a, matches[-1].score_b) if matches else (0, 0)
        first = chance.choice(tuple(Team))
        attacks = (
            AttackFacts(first, AttackEnd.COMPLETED, chance.randint(200, 600), 720),
            AttackFacts(other_team(first), AttackEnd.HELD, 600, 600),
        )
        map_name = MAPS[at % len(MAPS)]
        matches.append(MatchFacts(map_name, winner, False, attacks, a + (winner == "A"), b + (winner == "B")))
    rounds = tuple(
        RoundFacts(f"{at}-{number}", at, number, match.map_name)
        for at, match in enumerate(matches, start=1)
        for number in (1, 2)
    )
    a, b = matches[-1].score_a, matches[-1].score_b
    players = tuple(player(at, size, rounds, chance) for at in range(size.players))
    return SessionFacts(
        day=date(2026, 3, 14),
        ended_at=datetime(2026, 3, 14, 22, 30, tzinfo=UTC),
        winner=Winner.DRAW if a == b else Winner.A if a > b else Winner.B,
        score_a=a,
        score_b=b,
        counted=size.matches,
        without_points=0,
        teams=UNNAMED,
        matches=tuple(matches),
        rounds=rounds,
        players=players,
        usual_from=10,
    )


def player(at: int, size: Size, rounds: tuple[RoundFacts, ...], chance: Random) -> PlayerFacts:
    """One of them, with his own usual."""
    kills, deaths, dpm = chance.randint(20, 140), chance.randint(30, 120), chance.uniform(150, 450)
    return PlayerFacts(
        name=f"player {at}",
        team=Team.A if at < size.players // 2 else Team.B,
        kills=kills,
        deaths=deaths,
        kd=kills / deaths,
        dpm=dpm,
        damage_given=round(dpm * 90),
        usual_kd=chance.uniform(0.6, 1.6),
        usual_dpm=chance.uniform(200, 400),
        round_dpm={played.key: chance.uniform(80, 600) for played in rounds},
    )


if __name__ == "__main__":
    main()
