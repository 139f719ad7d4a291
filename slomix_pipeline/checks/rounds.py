"""What the checks of a round's numbers find: its place, its conservation laws, its plausibility.

Belongs here: findings of the rules as outcomes, with the numbers, the law and the players as rows of facts.
Does not belong here: the laws and bounds themselves (``rules.laws``, ``rules.plausibility``).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from slomix_pipeline.checks.layers import Outcome
from slomix_pipeline.rules.differential import RoundPlayer
from slomix_pipeline.rules.laws import Finding, header_law, known_causes, lobby_laws, pair_laws
from slomix_pipeline.rules.pairing import Placed
from slomix_pipeline.rules.plausibility import implausible_numbers, odd_header, outscored_its_first_round
from slomix_pipeline.rules.values import FiledRound, Status


def pairing_outcome(entry: FiledRound, place: Placed, partner: FiledRound | None) -> Outcome:
    """Whether a round has its place. Half a match and a restarted or aborted round are places too."""
    apart = abs(entry.stamp - partner.stamp) / timedelta(minutes=1) if partner else None
    facts = {
        "status": place.status.value,
        "reason": place.reason,
        "round it really was": place.number,
        "partner": place.partner,
        "minutes to the partner": None if apart is None else round(apart, 1),
        "ended at": entry.stamp.isoformat(),
        "flags": ", ".join(place.flags) or "none",
    }
    return Outcome(place.status not in (Status.R2_ONLY, Status.AMBIGUOUS) and not place.flags, facts)


def laws_outcome(entry: FiledRound, place: Placed, players: Sequence[RoundPlayer], first: FiledRound | None) -> Outcome:
    """The conservation laws of a round, one row each. ``first``: the round 1 of a round 2."""
    lobby = lobby_laws(players)
    findings = list(lobby)
    if place.status is not Status.ABORTED:  # its header holds presets
        findings.append(header_law(entry.stats.header, place.number))
    if first:
        findings += pair_laws(first.stats, entry.stats)
    broken = [finding for finding in findings if finding.holds is False]
    facts = {finding.law: _in_words(finding) for finding in findings}
    if broken:
        causes = known_causes(players, first.stats if first else None)
        facts["what may explain it"] = "; ".join(causes)
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
    if place.number == 2 and place.partner and outscored_its_first_round(players[place.partner], players[entry.key]):
        odd.append("everybody killed and damaged more than in round 1: it looks like a sum of both rounds")
    return Outcome(not odd, {"players": len(players[entry.key]), "implausible": "; ".join(odd) or "nothing"})
