"""What a result rests on, in words players read: by what each match was decided, how sure that is, who is in teams.

Does not belong here: the result itself (``messages``, ``session_messages``), the same for whoever runs the server
(``reports.evidence``).
"""

from collections.abc import Iterator

from slomix_pipeline.discord.embeds import Field, block, escape
from slomix_pipeline.discord.messages import DECIDED_BY
from slomix_pipeline.discord.session_messages import decision_text
from slomix_pipeline.discord.wording import map_text, player_text, short_text, team_text
from slomix_pipeline.reports.evidence import SURE
from slomix_pipeline.rules.scoring import Source, Winner
from slomix_pipeline.rules.teams import flag_text
from slomix_pipeline.warehouse.session_evidence import MatchEvidence, SessionEvidence

_LONGEST = 200  # visible characters of a sentence


def match_why_fields(evidence: SessionEvidence, position: int) -> tuple[Field, ...]:
    """Why a match of a session ended as it did."""
    return block("Why", [_match(evidence, match) for match in evidence.matches if match.position == position])


def session_why_fields(evidence: SessionEvidence) -> Iterator[Field]:
    """Why a session ended as it did."""
    yield from block("Why this grade", [short_text(reason, _LONGEST) for reason in evidence.grade.reasons])
    yield from block("Matches", [_match(evidence, match, below=True) for match in evidence.matches])
    yield from block("Teams", list(_teams(evidence)))
    yield from block(
        "Decided by people",
        [short_text(decision_text(row), _LONGEST) for row in evidence.decisions],
    )
    yield from block("Corrected after it was told", [short_text(row.notice, _LONGEST) for row in evidence.corrections])


def _match(evidence: SessionEvidence, match: MatchEvidence, *, below: bool = False) -> str:
    """``below``: what people decided is told there."""
    winner = team_text(evidence.names[match.winner]) if match.winner in (Winner.A, Winner.B) else match.winner
    decided = [f"decided by {DECIDED_BY[match.source]}"] if match.source else []
    sure = [f"sure: {SURE[match.confidence]}"] if match.confidence else []
    reason = "" if below and match.source is Source.OVERRIDE else short_text(match.reason, _LONGEST)
    facts = [f"**{map_text(match.map)}**", winner or "not counted", *decided, *sure, reason]
    return " · ".join(filter(None, facts))


def _teams(evidence: SessionEvidence) -> Iterator[str]:
    if evidence.teams is None:
        return
    names = {player.guid: player.shown for player in evidence.rosters}
    yield f"Confidence {escape(evidence.teams.confidence)}: {short_text('; '.join(evidence.teams.reasons), _LONGEST)}"
    for guid, why in evidence.teams.open.items():
        yield f"**{player_text(names.get(guid, guid))}** is open: {short_text(why, _LONGEST)}"
    for flag in evidence.teams.flags:
        yield short_text(flag_text(flag, names), _LONGEST)
