"""A home that was moved, copied or mounted elsewhere: MLflow's artifacts are where the home is.

MLflow writes down where the artifacts of each experiment, run and model lie, as a whole path. When
a home lies elsewhere than they say, what it holds would not be found, and what is added would be
written to where it was: into the original, if it is still there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from sweep.database import engine_arguments, readable, reason
from sweep.errors import HomeError
from sweep.home import Home, locked

# Where MLflow 3.17 keeps paths of artifacts.
_COLUMNS = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


class _Misplaced(NamedTuple):
    """A path in MLflow's database that does not lie in the home, though it was made for one."""

    table: str
    column: str
    was: str
    belongs: str


def misplaced(home: Home) -> Path | None:
    """Where artifacts are said to lie that belong into this home; None if they are said to be here.

    Looks, and changes nothing. Raises what SQLAlchemy raises.
    """
    if not home.mlflow_db.exists():
        return None
    with _connected(readable(f"sqlite:///{home.mlflow_db}")) as connection:
        found = next(_misplaced(connection, home), None)
    if found is None:
        return None
    inside = found.belongs.removeprefix(home.mlartifacts.as_uri())  # with the slash before it
    return Path(url2pathname(urlsplit(found.was.removesuffix(inside)).path))


def relocate(home: Home) -> None:
    """Have MLflow's database say of the home's artifacts that they lie in the home, if it does not.

    Raises:
        HomeError: the database cannot be read, or is to be changed and cannot be written.
    """
    try:
        is_here = misplaced(home) is None
    except SQLAlchemyError as error:
        raise _unusable(home, error) from error
    if not is_here:
        with relocated(home):
            pass


@contextmanager
def relocated(home: Home) -> Iterator[None]:
    """As :func:`relocate`; and for the length of the block nobody does so for another path.

    A home may be mounted in several places at once.

    Raises:
        HomeError: the database cannot be changed, or its lock not be taken.
    """
    with locked(home.locks / "mlflow.db.lock"):
        try:
            with _connected(f"sqlite:///{home.mlflow_db}") as connection, connection.begin():
                for table, column, was, belongs in list(_misplaced(connection, home)):
                    places = sa.table(table, sa.column(column))
                    change = places.update().where(places.c[column] == was)
                    connection.execute(change.values({column: belongs}))
        except SQLAlchemyError as error:
            raise _unusable(home, error) from error
        yield


def _unusable(home: Home, error: SQLAlchemyError) -> HomeError:
    return HomeError(
        f"MLflow's database {home.mlflow_db} cannot be made to say that its artifacts lie in "
        f"{home.mlartifacts}: {reason(error)}",
        hint="see that the home may be written; sweep doctor says what mends its database",
    )


def _misplaced(connection: sa.Connection, home: Home) -> Iterator[_Misplaced]:
    """Every path that does not lie in the home, though an experiment's artifacts are its kind.

    They were made as ``<home>/mlartifacts/<directory of the experiment>/…``.
    """
    root = f"{home.mlartifacts.as_uri()}/"
    directories = {
        location.rpartition("/")[2]
        for location in _paths(connection, "experiments", "artifact_location")
        if location.rpartition("/")[0].endswith(f"/{home.mlartifacts.name}")
    }
    for table, column in _COLUMNS:
        for path in _paths(connection, table, column, outside=root):
            if inside := _inside(path, home, directories):
                yield _Misplaced(table, column, path, f"{root}{inside}")


def _paths(connection: sa.Connection, table: str, column: str, outside: str = "") -> list[str]:
    """The different paths of files in a column; but for those that begin in a place."""
    places = sa.table(table, sa.column(column)).c[column]
    query = sa.select(places).where(places.like("file:%")).distinct()
    if outside:  # as a text: to LIKE, a path may have wildcards in it
        query = query.where(sa.func.substr(places, 1, len(outside)) != outside)
    return list(connection.scalars(query))


def _inside(path: str, home: Home, directories: set[str]) -> str | None:
    """What of a path leads on from ``mlartifacts``; the last, if the home lies in another's."""
    found = []
    for directory in directories:
        before, mark, after = f"{path}/".rpartition(f"/{home.mlartifacts.name}/{directory}/")
        if mark:
            found.append((len(before), f"{directory}/{after}".rstrip("/")))
    return max(found)[1] if found else None


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, **engine_arguments(url))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()
