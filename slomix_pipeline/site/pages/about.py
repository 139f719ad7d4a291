"""How everything is counted; what the site keeps of people, and what it can't show; what robots leave alone.

Belongs here: gathering these texts. Does not belong here: the meaning of metrics (``warehouse.metric_texts``, of the
comments in ``sql/views``), thresholds, policies and grades (``rules``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slomix_pipeline.reports.career_words import samples_text
from slomix_pipeline.reports.expected_words import counted_texts
from slomix_pipeline.rules.attack_model import REGULAR_FROM
from slomix_pipeline.rules.boards import BOARDS, threshold, threshold_text
from slomix_pipeline.rules.grades import costs
from slomix_pipeline.rules.pairs import LEAST_KILLS
from slomix_pipeline.rules.pairs import LEAST_MATCHES as LEAST_TOGETHER
from slomix_pipeline.rules.par import LEAST_ATTACKS
from slomix_pipeline.rules.score_policies import POLICIES
from slomix_pipeline.rules.seasons import LEAST_SESSIONS
from slomix_pipeline.site.answers import Asked, Link
from slomix_pipeline.site.templating import url_of
from slomix_pipeline.warehouse import metric_texts
from slomix_pipeline.warehouse.map_history import LEAST_MATCHES
from slomix_pipeline.warehouse.metric_texts import MetricText
from slomix_pipeline.warehouse.site_store import Moment

_ROBOTS = b"User-agent: *\nDisallow: /search\nDisallow: /compare\nDisallow: /balance\nDisallow: /api/\nDisallow: /*?\n"


@dataclass(frozen=True)
class SumLine:
    """What is counted. ``since``: from when on files know it, where older ones here lack it."""

    name: str
    comment: str
    since: datetime | None


@dataclass(frozen=True)
class BoardNeeds:
    """A board: what it ranks, and whom."""

    link: Link
    formula: str
    needs: str


@dataclass(frozen=True)
class MetricsPage:
    """How it is counted. ``regular_from``: matches; ``least_together``: of a pair; ``least_kills``: between two, either
    way; ``expected``: what is expected of players, in sentences; ``policies``: each score policy in words; ``grades``:
    letter and example of what costs it."""

    metrics: Sequence[MetricText]
    sums: tuple[SumLine, ...]
    left_out: Sequence[tuple[str, str]]
    boards: tuple[BoardNeeds, ...]
    records: str
    least_attacks: int
    least_matches: int
    least_sessions: int
    expected: Sequence[str]
    regular_from: int
    least_together: int
    least_kills: int
    policies: tuple[tuple[str, str], ...]
    grades: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class AboutPage:
    """``contact``: whom to ask; None where nobody said."""

    contact: str | None


def metrics_page(moment: Moment, asked: Asked) -> MetricsPage:
    """Every formula, threshold and rule that numbers on pages go by."""
    since = metric_texts.known_since(moment.conn)
    return MetricsPage(
        metrics=metric_texts.metric_texts(moment.conn),
        sums=tuple(SumLine(own.name, own.comment or "", since.get(own.name)) for own in metric_texts.sums(moment.conn)),
        left_out=metric_texts.left_out_of_aimed_accuracy(moment.conn),
        boards=tuple(
            BoardNeeds(
                Link(url_of("boards", board.name), board.title), board.formula, threshold_text(board, threshold(board))
            )
            for board in BOARDS.values()
        ),
        records=samples_text(),
        least_attacks=LEAST_ATTACKS,
        least_matches=LEAST_MATCHES,
        least_sessions=LEAST_SESSIONS,
        expected=counted_texts(),
        regular_from=REGULAR_FROM,
        least_together=LEAST_TOGETHER,
        least_kills=LEAST_KILLS,
        policies=tuple((name, policy.in_words) for name, policy in POLICIES.items()),
        grades=costs(),
    )


def about_page(moment: Moment, asked: Asked) -> AboutPage:
    """What is kept of people, why, and how to be hidden."""
    return AboutPage(asked.settings.site_contact)


def robots(moment: Moment, asked: Asked) -> bytes:
    """What robots leave alone: answers to questions, of which there is no end. Player pages ask for it themselves."""
    return _ROBOTS
