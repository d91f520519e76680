"""Rows of a table whose columns are the fields of a dataclass, in the same order: read and written."""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any, TypeVar

from agent.store.database import Connection

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")


def named_rows(connection: Connection, table: str, kind: type[Row]) -> dict[str, Row]:
    """All rows of a table, by name, in the order of their names. What is `bool` is 0 or 1 there."""
    query = f"SELECT {_columns(kind)} FROM {table} ORDER BY name"  # noqa: S608 - names of ours
    return {row[0]: _row(kind, row) for row in connection.execute(query)}


def insert(connection: Connection, table: str, row: DataclassInstance, otherwise: str = "") -> None:
    """Write a new row; `otherwise` says what is done where there is one of its name."""
    places = ", ".join("?" * len(fields(row)))
    connection.execute(
        f"INSERT INTO {table} ({_columns(type(row))}) VALUES ({places}) {otherwise}",  # noqa: S608
        astuple(row),
    )


def _columns(kind: type[DataclassInstance]) -> str:
    return ", ".join(it.name for it in fields(kind))


def _row(kind: type[Row], values: tuple[Any, ...]) -> Row:
    found = zip(fields(kind), values, strict=True)
    return kind(**{it.name: bool(value) if it.type == "bool" else value for it, value in found})
