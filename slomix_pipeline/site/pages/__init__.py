"""The pages there are. A module per kind of page: its view model, and the function that makes one.

A function gets a moment of the database and what was asked, calls readers of ``warehouse`` and says all in plain
values; it holds no HTML, and no number that a reader or view could give.
"""

from slomix_pipeline.site.answers import Page
from slomix_pipeline.site.pages.about import about_page, metrics_page, robots
from slomix_pipeline.site.pages.api import api_page
from slomix_pipeline.site.pages.balance import LABELS as FIELDS_OF_BALANCE
from slomix_pipeline.site.pages.balance import balance_page
from slomix_pipeline.site.pages.boards import FILTERS as BOARD_FILTERS
from slomix_pipeline.site.pages.boards import board_page, boards
from slomix_pipeline.site.pages.compare import compare_page, pair_page
from slomix_pipeline.site.pages.corrections import corrections_page
from slomix_pipeline.site.pages.feeds import ATOM, corrections_feed, results_feed
from slomix_pipeline.site.pages.home import home
from slomix_pipeline.site.pages.maps import map_page, maps_page
from slomix_pipeline.site.pages.match import match_page
from slomix_pipeline.site.pages.odds import odds_page
from slomix_pipeline.site.pages.pictures import card, chart
from slomix_pipeline.site.pages.player import player_page
from slomix_pipeline.site.pages.players import players_page
from slomix_pipeline.site.pages.records import records_page
from slomix_pipeline.site.pages.round import round_page
from slomix_pipeline.site.pages.search import search_page
from slomix_pipeline.site.pages.seasons import awards_page, season_page, seasons_page
from slomix_pipeline.site.pages.session import latest, session_page
from slomix_pipeline.site.pages.sessions import NAMES as FILTERS_OF_SESSIONS
from slomix_pipeline.site.pages.sessions import sessions
from slomix_pipeline.site.pages.status import status_page
from slomix_pipeline.site.sorting import SORT

PAGES = (
    Page("/", home, "home.html", daily=True, live=True),
    Page("/sessions", sessions, "sessions.html", names=FILTERS_OF_SESSIONS, live=True),
    Page("/sessions/latest", latest),
    Page("/sessions/{key}", session_page, "session.html", names=(SORT,), live=True),
    Page("/sessions/{key}/card.png", card, media_type="image/png"),
    Page("/sessions/{key}/{name}.svg", chart, media_type="image/svg+xml"),
    Page("/matches/{key}", match_page, "match.html", names=(SORT,)),
    Page("/rounds/{key}", round_page, "round.html", names=("player",)),
    Page("/players", players_page, "players.html", names=(SORT, "after")),
    Page("/players/{guid}", player_page, "player.html", names=(SORT,)),
    Page("/compare", compare_page, "compare.html", names=("a", "b")),
    Page("/compare/{one}/{two}", pair_page, "pair.html", names=("both",)),
    Page("/balance", balance_page, "balance.html", names=tuple(FIELDS_OF_BALANCE)),
    Page("/search", search_page, "search.html", names=("q",)),
    Page("/boards", boards, "boards.html", names=("map", "since", "min_rounds")),
    Page("/boards/{board}", board_page, "board.html", names=BOARD_FILTERS, daily=True),
    Page("/records", records_page, "records.html", names=("map",), daily=True, live=True),
    Page("/maps", maps_page, "maps.html", names=(SORT,)),
    Page("/maps/{map}", map_page, "map.html"),
    Page("/seasons", seasons_page, "seasons.html", daily=True),
    Page("/seasons/{id}", season_page, "season.html", daily=True),
    Page("/awards", awards_page, "awards.html", names=("season",)),
    Page("/metrics", metrics_page, "metrics.html"),
    Page("/about", about_page, "about.html"),
    Page("/odds", odds_page, "odds.html"),
    Page("/corrections", corrections_page, "corrections.html", names=("before",)),
    Page("/feed.xml", results_feed, media_type=ATOM),
    Page("/corrections.xml", corrections_feed, media_type=ATOM),
    Page("/robots.txt", robots, media_type="text/plain; charset=utf-8"),
    Page("/api", api_page, "api.html"),
    Page("/status", status_page, "status.html", kept=False),
)

# The header's links, in order; one whose page is not there yet is left out.
MAIN = {
    "Sessions": "/sessions",
    "Players": "/players",
    "Boards": "/boards",
    "Records": "/records",
    "Maps": "/maps",
    "Status": "/status",
}
