"""Stage 8: what players read about a match: a short message after round 1, the result after round 2.

Does not belong here: the words (``discord``), what is due (``warehouse.due``).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from slomix_pipeline.rules.things import ToldAs
from slomix_pipeline.stages.common import Done, Tools
from slomix_pipeline.stages.telling import note_asked, sole_teller
from slomix_pipeline.warehouse import corrections, due, reading, results
from slomix_pipeline.warehouse.check_results import CheckName, Outcome

if TYPE_CHECKING:
    from slomix_pipeline.discord.telling import Telling


def match_post(keys: Sequence[str], tools: Tools) -> Done:
    """Announces what is due of the matches of these rounds' sessions, and corrects what was said before."""
    told: dict[ToldAs, list[str]] = {}
    outcomes: dict[str, Outcome] = {}
    channel = tools.channels.results
    if tools.tells_results:
        told, outcomes = _tell(tools, set(keys))
    totals = {
        "announced": len(told.get(ToldAs.SENT, [])),
        "corrected": len(told.get(ToldAs.EDITED, [])),
        "channel": channel.describe() if channel else "none: SLOMIX_DISCORD_WEBHOOK is not set",
        "messages": {k.value: v for k, v in told.items() if k not in (ToldAs.SILENT, ToldAs.UNCHANGED)},
    }
    return Done({CheckName.TOLD_ONCE: outcomes}, totals)


def _tell(tools: Tools, own: set[str]) -> tuple[dict[ToldAs, list[str]], dict[str, Outcome]]:
    """Tells the matches of the sessions that hold the rounds. Returns the names of the things by what became of them,
    and the outcome of each round."""
    channel = tools.channels.results
    note_asked(tools, own)
    told: dict[ToldAs, list[str]] = {}
    outcomes: dict[str, Outcome] = {}
    with sole_teller(tools, own) as alone:
        if not alone:
            return told, outcomes
        with tools.database.transaction() as conn:
            sessions = results.sessions_of(conn, own)
            made = due.results_made(conn, sessions)
            quiet = due.quiet_matches(conn, sessions)
            for rounds in (rounds for matches in quiet.values() for rounds in matches):
                outcomes |= dict.fromkeys(rounds, Outcome(True, {"messages": len(rounds)}))
            # Without a channel, something became due since the caller looked: it stays so, and the outbox tells it.
            loud = [key for key in sessions if key not in quiet] if channel is not None else []
            matches = reading.matches(conn, loud)
            changed = {match.key: corrections.note_difference(conn, match) for match in matches}
            wanted = due.wanted(conn) if tools.wish else set()
        if channel is not None and matches:
            # Loaded here: the messages need requests, which loading the definitions doesn't.
            from slomix_pipeline.discord.telling import Telling

            telling = Telling(tools, channel, tools.channels.kinds_in(channel), wanted)
            for match in matches:
                said = _tell_match(telling, match, changed[match.key])
                for thing in said:
                    told.setdefault(telling.said[thing].outcome, []).append(thing)
                outcomes |= {seen.key: telling.outcome(said) for seen in match.rounds}
        with tools.database.connect() as conn:
            due.note_compared(conn, {key: made[key] for key in (*quiet, *loud) if key in made})
    return told, outcomes


def _tell_match(telling: "Telling", match: reading.MatchSeen, changed: str | None) -> list[str]:
    """Tells what there is to tell of a match, with what ``changed`` since it was told first. Returns the names of the
    things in the ledger."""
    from slomix_pipeline.discord.match_messages import of_first_round, of_second_round

    said = []
    result_stands = False
    if match.second is not None:
        message = of_second_round(match, changed)
        told = telling.tell(message.thing, message.message, news=message.news, result=corrections.result_of(match))
        result_stands = told.outcome.stands
        said.append(message.thing.name)
    if match.first is not None:
        message = of_first_round(match, result_stands)
        telling.tell(message.thing, message.message, news=message.news)
        said.append(message.thing.name)
    return said
