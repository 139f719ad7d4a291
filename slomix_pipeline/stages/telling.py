"""What the stages that tell results have in common: nobody else tells meanwhile, and it is known what may be told.

Belongs here: the lock and what was asked for. Does not belong here: messages and what becomes of them (``discord``).
"""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager

from slomix_pipeline.stages.common import Tools, Wish, by_server
from slomix_pipeline.warehouse import due
from slomix_pipeline.warehouse.database import StillHeld


def note_asked(tools: Tools, keys: Collection[str]) -> None:
    """Makes what these rounds or sessions give to tell due, when a person asked for it."""
    if tools.wish is Wish.ASKED:
        with tools.database.transaction() as conn:
            due.note_asked(conn, sorted(keys), tools.settings.told_results, tools.settings.publish_max_age)


@contextmanager
def sole_teller(tools: Tools, keys: Collection[str]) -> Iterator[bool]:
    """Whether nobody else tells of the game servers of these rounds or sessions, until the ``with`` block ends.

    What is read within it stays true until it is told: another run would tell something newer. Who has to wait for too
    long leaves it: what there is to tell stays due, for a later run.
    """
    with ExitStack() as stack:
        try:
            for server, _ in by_server(sorted(keys)):
                with tools.patience.waiting() as seconds:
                    stack.enter_context(tools.database.hold(f"telling {server}", patience=seconds))
        except StillHeld:
            tools.log.warning("another run tells results for long: what there is to tell stays due, for a later run")
            yield False
            return
        yield True
