"""Words for a map that pages, the terminal and Discord share: its card in one sentence, and what stands behind it.

Belongs here: plain text of plain values; names stay as they are, so whoever shows a text with names escapes it.
Does not belong here: the numbers (``warehouse.maps``, ``warehouse.map_cards``), tables, messages, pages.
"""

from slomix_pipeline.formats.times import format_time
from slomix_pipeline.reports.odds_words import share_text
from slomix_pipeline.rules.attack_order import Advantage
from slomix_pipeline.rules.odds import told_share
from slomix_pipeline.rules.par import EARLY_BELOW, LEAST_ATTACKS, HoldingCurve
from slomix_pipeline.rules.scoring import Faster
from slomix_pipeline.warehouse.map_cards import Finish, MapCurves
from slomix_pipeline.warehouse.maps import MapNumbers

_ONE_IN = {5: "twenty", 10: "ten", 20: "five", 25: "four", 50: "two"}  # percent that are a share people say


def card_text(seen: MapNumbers) -> str:
    """A map in one sentence: ``par 4:35, one in ten is held; no first-attack advantage shown (15 of 34)``."""
    return "; ".join(filter(None, (_par_and_held(seen), _pays(seen.advantage))))


def card_below_par(seen: MapNumbers) -> str:
    """The same where "par" stands above it: ``4:35, one in ten is held; …``."""
    return card_text(seen).removeprefix("par ")


def _pays(own: Advantage) -> str:
    if not own.decided:
        return ""
    if own.pays is None:
        return f"no first-attack advantage shown ({own.won} of {own.decided})"
    won = own.won if own.pays is Faster.FIRST else own.decided - own.won
    return f"attacking {own.pays} has an advantage ({won} of {own.decided})"


def par_text(seen: MapNumbers) -> str:
    """A map's par with the attacks that it is from."""
    return f"{_par_and_held(seen)} ({attacks_text(seen)})"


def _par_and_held(seen: MapNumbers) -> str:
    own = seen.par
    if not own.enough:
        return f"a par is told from {LEAST_ATTACKS} attacks on"
    held = "how many are held to the end is not known, as none was seen to the limit"
    if own.held_share is not None:
        held = held_text(own.held_share, own.attacks)
    return f"par {time_reached(own.par)}, {held}"


def held_text(share: float, attacks: int) -> str:
    """How many defences hold to the end, as exactly as so many attacks tell: ``one in ten is held``."""
    if share == 0:
        return "none was seen to hold to the end"
    told = told_share(share, attacks)
    one_in = _ONE_IN.get(told.percent) if told.beyond is None else None
    return f"{share_text(share, attacks)} are held" if one_in is None else f"one in {one_in} is held"


def time_reached(seconds: int | None) -> str:
    """By when a part of the defences has fallen."""
    return "not reached" if seconds is None else format_time(seconds)


def attacks_text(seen: MapNumbers) -> str:
    """How many attacks it is all from: ``62 of 68 attacks completed, limit 12:00``."""
    own = seen.par
    limit = "" if seen.limit_seconds is None else f", limit {format_time(seen.limit_seconds)}"
    early = "; early, of few attacks" if own.enough and own.attacks < EARLY_BELOW else ""
    return f"{own.completed} of {own.attacks} attacks completed{limit}{early}"


def quartiles_text(seen: MapNumbers) -> str:
    """By when which part of the defences has fallen; empty without a par."""
    own = seen.par
    if not own.enough:
        return ""
    parts = (("a quarter", own.quarter), ("half", own.par), ("three quarters", own.three_quarters))
    return ", ".join(f"{what} by {format_time(at)}" if at is not None else f"{what} not reached" for what, at in parts)


def advantage_text(seen: MapNumbers) -> str:
    """How often who attacked first won, what that says, and how many matches nobody won: ``15 of 34, 29–61 %: no
    advantage shown; 2 of 36 drawn``."""
    own = seen.advantage
    drawn = f"; {seen.draws} of {seen.matches} drawn" if seen.draws else ""
    if not own.decided:
        return f"no match yet of which that is known{drawn}"
    says = {Faster.FIRST: "an advantage", Faster.SECOND: "a disadvantage", None: "no advantage shown"}[own.pays]
    return f"{own.won} of {own.decided}, {100 * own.low:.0f}–{100 * own.high:.0f} %: {says}{drawn}"


def curves_text(curves: MapCurves | None) -> str:
    """What else is to be known of par: that of each attack where the order matters, and the one that giving up says
    nothing to; empty where neither says anything."""
    parts = []
    if curves and curves.first and curves.second:
        pars = (f"{what} {_own_par(own)}" for what, own in (("first", curves.first), ("second", curves.second)))
        parts.append(f"first and second attacks differ: par {', '.join(pars)}")
    if curves and curves.until_given_up:
        other = time_reached(curves.until_given_up.par)
        parts.append(f"par {other} if attacks that were given up count up to then alone")
    return "; ".join(parts)


def _own_par(own: HoldingCurve) -> str:
    return f"{time_reached(own.par)} ({own.attacks} attacks)"


def finish_text(own: Finish) -> str:
    """By how much a time was beaten: ``by 3 s, 4:32 to beat 4:35``."""
    by = own.to_beat - own.seconds
    return (
        f"{f'by {by} s' if by else 'within the second'}, {format_time(own.seconds)} to beat {format_time(own.to_beat)}"
    )
