"""``docs/fields.md`` is made from the tables that the code reads: RENEW_SNAPSHOTS=1 writes it anew."""

from collections.abc import Iterator

from slomix_pipeline.formats.tail import DECIMAL_FIELDS, LAYOUTS, TAIL_FIELDS
from slomix_pipeline.formats.weapons import WEAPONS
from slomix_pipeline.rules.policy import BULLETS_SINCE, MOST_DENIED_PER_KILL, POLICY, WEAPON_COLUMNS, Policy
from slomix_pipeline.settings import project_folder
from slomix_pipeline_tests.snapshots import assert_as_kept

PAGE = project_folder() / "docs" / "fields.md"


def documented() -> Iterator[str]:
    """The lines of the page."""
    yield "# Fields of a stats file"
    yield ""
    yield "Made from `slomix_pipeline/formats/tail.py` and `slomix_pipeline/rules/policy.py`; don't edit it by hand."
    yield ""
    yield "The game's engine goes on counting when a map is restarted for round 2, its scripts begin anew. So a round-2"
    yield "file mixes both, and every field has one of three policies:"
    yield ""
    yield from (f"- **{policy.name.lower()}**: {policy.value}." for policy in Policy)
    yield ""
    yield f"Each of the {len(WEAPONS)} weapons has {', '.join(WEAPON_COLUMNS)} (`headshots` are hits on heads), and all of"
    yield "them are cumulative; a player's kills, deaths, hits, shots and head hits are their sums. A weapon's own shots may"
    yield "fall, because the engine takes shots at corpses back: its row then shows 0, the player's sum keeps the truth."
    yield ""
    yield "## The numbered fields behind the weapons"
    yield ""
    yield "The position of a field depends on the writer's generation, which is told by the count of fields alone. A field"
    yield "that a generation did not write is unknown, not 0."
    yield ""
    yield f"| field | type | in a round-2 file | {' | '.join(f'of {count}' for count in LAYOUTS)} |"
    yield f"|---|---|---|{'---|' * len(LAYOUTS)}"
    for name in TAIL_FIELDS:
        kind = "one decimal" if name in DECIMAL_FIELDS else "whole"
        positions = [str(layout.index(name)) if name in layout else "–" for layout in LAYOUTS.values()]
        yield f"| `{name}` | {kind} | {POLICY[name].name.lower()} | {' | '.join(positions)} |"
    yield ""
    yield "Seconds: `denied_playtime`. Percent: `alive_percent`, `dead_percent`. Minutes: `minutes_played`, `minutes_dead`"
    yield f"(a tenth is 6 s). Before the generation of {BULLETS_SINCE} fields `bullets_fired` is another unit: unknown."
    yield f"`denied_playtime` of more than {MOST_DENIED_PER_KILL} s for each kill was counted several times over: unknown."


def test_the_page_of_fields_says_what_the_code_does() -> None:
    assert_as_kept(PAGE, "\n".join(documented()) + "\n")
