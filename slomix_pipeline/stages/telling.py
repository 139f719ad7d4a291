"""What the stages that tell results have in common: nobody else tells meanwhile, and it is known what may be told.

Belongs here: the lock and what was asked for. Does not belong here: messages and what becomes of them (``discord``).
"""

from collections.abc import Collection, Iterator, Sequence
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
    with _all_held(tools, [f"telling {server}" for server, _ in by_server(sorted(keys))]) as alone:
        if not alone:
            tools.log.warning("another run tells results for long: what there is to tell stays due, for a later run")
        yield alone


@contextmanager
def sole_teller_of_asked(tools: Tools) -> Iterator[bool]:
    """The same of what people and schedules ask to be posted."""
    with _all_held(tools, ["telling what was asked for"]) as alone:
        if not alone:
            tools.log.warning("somebody else tells what was asked for, for long: it stays due")
        yield alone


@contextmanager
def _all_held(tools: Tools, locks: Sequence[str]) -> Iterator[bool]:
    """Whether all these locks are held, in this order, until the ``with`` block ends."""
    with ExitStack() as stack:
        try:
            for lock in locks:
                with tools.patience.waiting() as seconds:
                    stack.enter_context(tools.database.hold(lock, patience=seconds))
        except StillHeld:
            yield False
            return
        yield True
