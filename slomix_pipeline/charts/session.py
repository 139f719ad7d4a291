"""All pictures of a session, in the order in which they are shown.

Does not belong here: any one of them, drawing (``render``).
"""

from slomix_pipeline.charts.card import card_chart
from slomix_pipeline.charts.facts import SessionFacts
from slomix_pipeline.charts.look import Chart
from slomix_pipeline.charts.players import players_chart
from slomix_pipeline.charts.rounds import rounds_chart
from slomix_pipeline.charts.score import score_chart
from slomix_pipeline.charts.times import times_chart


def session_charts(facts: SessionFacts) -> list[Chart]:
    """The result always; of the others those that have something to show."""
    charts = [card_chart(facts)]
    if len(facts.matches) > 1:
        charts.append(score_chart(facts))
    if facts.matches:
        charts.append(times_chart(facts))
    if facts.players:
        charts.append(players_chart(facts))
    if facts.rounds:
        charts.append(rounds_chart(facts))
    return charts
