"""What the rules find in a round, as outcomes of checks: its place, its laws, its bounds, its clock.

Belongs here: findings as rows of facts, with the numbers, the law and the players; what makes a check fail.
Does not belong here: the laws and bounds themselves (``rules``), what a stage sees only while it works (the stage).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from slomix_pipeline.formats.gamestats import Header
from slomix_pipeline.formats.times import format_time
from slomix_pipeline.reports.export import utc_text
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.laws import CAUSES, Finding, header_law, known_causes, lobby_laws, pair_laws
from slomix_pipeline.rules.linking import WITHIN_WINDOW, LinkClass
from slomix_pipeline.rules.pairing import HARMLESS_FLAGS, Placed
from slomix_pipeline.rules.plausibility import implausible_numbers, odd_header, outscored_its_first_round
from slomix_pipeline.rules.scoring import Attack, Confidence, Faster, Half, MatchResult
from slomix_pipeline.rules.teams import FlagKind, SessionTeams, TeamConfidence, flag_text
from slomix_pipeline.rules.timing import RoundTiming, TimingStatus, overstayed
from slomix_pipeline.rules.timing_chain import BROKEN_LINK, WHAT_IS_KNOWN, Broken
from slomix_pipeline.rules.values import SIDE_NAMES, FiledRound, Status
from slomix_pipeline.warehouse.check_results import Outcome

# Beyond this a difference is an ERROR, within it a WARN; both sides come from the same file, so 0 is right.
TOLERANCE = 5


def pairing_outcome(entry: FiledRound, place: Placed, partner: FiledRound | None) -> Outcome:
    """Whether a round has its place. Half a match and a restarted or aborted round are places too."""
    apart = abs(entry.stamp - partner.stamp) / timedelta(minutes=1) if partner else None
    facts = {
        "status": place.status.value,
        "reason": place.reason,
        "round it really was": place.number,
        "partner": place.partner,
        "minutes to the partner": None if apart is None else round(apart, 1),
        "ended at": utc_text(entry.stamp),
        "flags": ", ".join(place.flags) or "none",
    }
    odd = set(place.flags) - HARMLESS_FLAGS
    return Outcome(place.status not in (Status.R2_ONLY, Status.AMBIGUOUS) and not odd, facts)


def laws_outcome(
    entry: FiledRound, place: Placed, players: Mapping[str, Sequence[RoundPlayer]], first: FiledRound | None
) -> Outcome:
    """The conservation laws of a round, one row each. ``players``: of every round of the session; ``first``: the
    round 1 of a round 2."""
    own = players[entry.key]
    lobby = lobby_laws(own)
    findings = list(lobby)
    if place.status is not Status.ABORTED:  # its header holds presets
        findings.append(header_law(entry.stats.header, place.number))
    if first:
        findings += pair_laws(first.stats, entry.stats)
    broken = [finding for finding in findings if finding.holds is False]
    facts = {finding.law: _in_words(finding) for finding in findings}
    if broken:
        others = [people for key, people in players.items() if key != entry.key]
        causes = known_causes(own, first.stats if first else None, others)
        facts[CAUSES] = "; ".join(causes)
    return Outcome(not broken, facts)


def _in_words(finding: Finding) -> str:
    if finding.holds is not False:
        return finding.numbers
    return f"broken: {finding.numbers}" + (f" ({', '.join(finding.players)})" if finding.players else "")


def plausibility_outcome(entry: FiledRound, place: Placed, players: Mapping[str, Sequence[RoundPlayer]]) -> Outcome:
    """Numbers no play explains. ``players``: of every round of the session."""
    odd = implausible_numbers(players[entry.key])
    if place.status is not Status.ABORTED:
        odd += odd_header(entry.stats.header)
    if place.goes_on and place.partner and outscored_its_first_round(players[place.partner], players[entry.key]):
        odd.append("everybody killed and damaged more than in round 1: it looks like a sum of both rounds")
    return Outcome(not odd, {"players": len(players[entry.key]), "implausible": "; ".join(odd) or "nothing"})


def comparison_outcome(off: Mapping[str, int]) -> Outcome:
    """The seven comparisons. ``off``: how far each is off."""
    worst = max(off.values())
    return Outcome(worst == 0, off, error=worst > TOLERANCE)


def timing_outcome(header: Header, timing: RoundTiming, players: Mapping[str, int | None]) -> Outcome:
    """The clock of a round: known, agreed upon, untied, and nobody there for longer. ``players``: seconds by GUID."""
    duration, link, record = timing.duration, timing.link, timing.record
    longer = overstayed(duration, players, record.pause_seconds if record else None)
    facts = {
        "status": timing.status.value,
        "seconds": duration.seconds,
        "source": duration.source,
        "stopwatch": header.attack_time,
        "record seconds": record.duration_seconds if record else None,
        "paused seconds": record.pause_seconds if record else None,
        "gave up": _gave_up(timing.surrender_side),
        "link": link.link_class.value,
        "why": link.reason or WITHIN_WINDOW,
        "candidate": link.candidate_key or "none",
        "there for longer than the round": ", ".join(longer) or "nobody",
    }
    agrees = timing.status in (TimingStatus.ALIGNED, TimingStatus.NO_LUA_DATA)
    sure = duration.seconds is not None and not longer and link.link_class is not LinkClass.TIE
    return Outcome(agrees and sure, facts)


def _gave_up(side: int | None) -> str | None:
    return None if side is None else SIDE_NAMES.get(side, "nobody")


def teams_outcome(half: Half, teams: SessionTeams, names: Mapping[str, str]) -> Outcome:
    """Whether the teams of a round are sure. ``teams``: of its session; ``names``: of players, by GUID."""
    if half.unscored_reason is not None:
        return Outcome(True, {"looked at": f"nothing: {half.unscored_reason}"})
    flags = [flag for flag in teams.flags if half.key in flag.rounds]
    facts = {
        "confidence": teams.confidence.value,
        "why": "; ".join(teams.reasons),
        "in this round": "; ".join(flag_text(flag, names) for flag in flags) or "nothing odd",
    }
    somebody_open = any(flag.kind is FlagKind.OPEN_PLAYER for flag in flags)
    return Outcome(teams.confidence is not TeamConfidence.LOW and not somebody_open, facts)


def score_outcome(result: MatchResult) -> Outcome:
    """Whether all that tells who won a match says the same."""
    attacks = {"round 1": result.first, "round 2": result.second}
    facts = {
        "result": result.winner or "not counted",
        "why": result.reason,
        "source": result.source.value if result.source else "none",
        "confidence": result.confidence.value,
        "the headers say": _ATTACKS[result.by_header],
        "the times say": _ATTACKS[result.by_time],
        **{f"attack of {name}": _attack_in_words(attack) for name, attack in attacks.items()},
    }
    return Outcome(result.confidence is not Confidence.AMBIGUOUS, facts)


_ATTACKS = {
    None: None,
    Faster.FIRST: "round 1's attackers won",
    Faster.SECOND: "round 2's attackers won",
    Faster.DRAW: "draw",
}


def _attack_in_words(attack: Attack) -> str:
    who = f"Team {attack.team}" if attack.team else "team unknown"
    clock = "no time" if attack.seconds is None else format_time(attack.seconds)
    return f"{who}, {clock}, {_COMPLETED[attack.completed]}"


_COMPLETED = {None: "completed or not is unknown", True: "completed", False: "not completed"}


def chain_outcome(broken: Broken | None) -> Outcome:
    """Whether a round has its timing, and where it got lost if not."""
    if broken is None:
        return Outcome(True, {BROKEN_LINK: "none"})
    return Outcome(False, {BROKEN_LINK: broken.link.value, WHAT_IS_KNOWN: broken.why})
