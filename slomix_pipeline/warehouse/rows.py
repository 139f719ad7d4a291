"""Rows of the database as values: each column an attribute, each word of ours its enumeration.

Belongs here: making them of what a query returns. Which values there are is the business of who asks.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from psycopg.rows import BaseRowFactory, RowMaker

T = TypeVar("T")


def rows_of(cls: type[T]) -> BaseRowFactory[T]:
    """A row factory that makes a frozen dataclass of every row, as ``class_row`` does; a column more or less than it
    has attributes is an error of the query. Text becomes the StrEnum, a list the tuple, that its attribute is.

    While rows are read it raises:
        TypeError: the query's columns are not the attributes.
        ValueError: the database has a word that its enumeration does not know.
    """
    of_name = _readers(cls)  # type: ignore[arg-type]  # a class is hashable

    def factory(cursor: Any) -> RowMaker[T]:
        names = [column.name for column in cursor.description or ()]
        readers = [(at, of_name[name]) for at, name in enumerate(names) if name in of_name]

        def made(values: Sequence[Any]) -> T:
            row = list(values)
            for at, read in readers:
                if row[at] is not None:
                    row[at] = read(row[at])
            return cls(**dict(zip(names, row, strict=True)))

        return made

    return factory


@cache
def _readers(cls: Any) -> dict[str, Callable[[Any], Any]]:
    """What makes a value of an attribute's type of what psycopg gives, for the attributes that need it."""
    hints = get_type_hints(cls)
    found: dict[str, Callable[[Any], Any]] = {}
    for field in fields(cls):
        for kind in (hints[field.name], *get_args(hints[field.name])):
            if isinstance(kind, type) and issubclass(kind, StrEnum):
                found[field.name] = kind
            elif get_origin(kind) is tuple:
                found[field.name] = tuple
    return found
