"""Tables in the order that a reader asks for by their heads: ``?sort=kills`` the lowest first, ``?sort=-kills`` the
highest. A page has one order; where it has several tables, no two of other columns call one alike.

Belongs here: what can be asked, rows in that order, where each head leads; ``parts.sort_heads`` shows them.
Does not belong here: the columns of a table and its order when nothing is asked (its page and reader), boards, whose
order is what they say.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from slomix_pipeline.site.answers import Asked, NotUnderstood

SORT = "sort"  # what it is called behind the ``?``

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a table. ``name``: as it is asked for; ``value``: of a row, None where it is unknown; itself None of
    a column that has no order; ``title``: what it is, where ``label`` does not say it; ``rises``: its lowest come first
    when it is asked for first; ``is_number``: it stands to the right."""

    name: str
    label: str
    value: Callable[[Row], Any] | None
    title: str = ""
    rises: bool = False
    is_number: bool = True


@dataclass(frozen=True)
class Order:
    """By which column, and whether its highest come first."""

    name: str
    falls: bool


@dataclass(frozen=True)
class Head:
    """The head of a column. ``url``: of the page sorted by it, the other way round where it already is; ``order``: in
    which it is, as ``aria-sort`` says it, None where the table has another."""

    label: str
    title: str
    url: str | None
    order: Literal["ascending", "descending"] | None
    is_number: bool


def order_asked(asked: Asked, *tables: Sequence[Column[Any]]) -> Order | None:
    """The order that is asked for; None: that in which the tables are anyway.

    Raises:
        NotUnderstood: no table has such a column.
    """
    text = asked.query.get(SORT)
    if not text:
        return None
    names = [column.name for columns in tables for column in columns if column.value]
    if text.removeprefix("-") not in names:
        raise NotUnderstood(SORT, f"{text} is no column to sort by; these are: {', '.join(names)}")
    return Order(text.removeprefix("-"), text.startswith("-"))


def in_order(
    rows: Iterable[Row], columns: Sequence[Column[Row]], order: Order | None, tie: Callable[[Row], tuple[str, ...]]
) -> tuple[Row, ...]:
    """Rows by a column, what is unknown last whichever way; as they are where the order is that of another table.
    ``tie``: in which order those are that have the same."""
    value = next((column.value for column in columns if order and column.name == order.name), None)
    if order is None or value is None:
        return tuple(rows)
    pairs = [(value(row), row) for row in sorted(rows, key=tie)]
    known = sorted((pair for pair in pairs if pair[0] is not None), key=lambda pair: pair[0], reverse=order.falls)
    return tuple(row for _, row in [*known, *(pair for pair in pairs if pair[0] is None)])


def heads(columns: Sequence[Column[Any]], order: Order | None, url: str) -> tuple[Head, ...]:
    """The heads of a table. ``url``: of its page, without anything behind the ``?``."""
    return tuple(_head(column, order if order and order.name == column.name else None, url) for column in columns)


def _head(column: Column[Any], own: Order | None, url: str) -> Head:
    rises_next = column.rises if own is None else own.falls
    return Head(
        column.label,
        column.title,
        f"{url}?{SORT}={'' if rises_next else '-'}{column.name}" if column.value else None,
        None if own is None else "descending" if own.falls else "ascending",
        column.is_number,
    )
