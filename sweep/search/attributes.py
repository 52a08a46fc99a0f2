"""What a study says of itself: sealed attributes of it in Optuna's storage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sweep.search.seals import believing, sealed, unsealed
from sweep.search.storage import Storage

_ALL = "all"


class Attributes:
    """The attributes of one study, by name."""

    def __init__(self, storage: Storage, study_id: int, study: str, do: Callable[..., Any]) -> None:
        """Nothing is read yet.

        Args:
            storage: Optuna's storage.
            study_id: its number of the study.
            study: the study's name.
            do: does something with the storage, as patiently as its owner is.
        """
        self._storage = storage
        self._study_id = study_id
        self._study = study
        self._do = do

    def get(self, name: str) -> Any:
        """An attribute; None if there is none.

        Raises:
            DamagedStorageError: it is not what was written.
        """
        with believing(self._study, f"its {name}"):
            return unsealed(self.stored().get(name))

    def set(self, name: str, value: Mapping[str, Any]) -> None:
        """Write an attribute down."""
        content = sealed(value)
        self._do(lambda: self._storage.set_study_user_attr(self._study_id, name, content))

    def get_list(self, name: str) -> Sequence[Any]:
        """A list; empty if there is none."""
        content = self.get(name) or ()
        with believing(self._study, f"its {name}"):
            # Older versions wrote the list itself.
            found: Sequence[Any] = content[_ALL] if isinstance(content, dict) else content
            return found

    def set_list(self, name: str, values: Sequence[Any]) -> None:
        """Write a list down."""
        self.set(name, {_ALL: list(values)})

    def of_kind(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """The attributes whose names begin so, by the rest of their names."""
        for name, value in self.stored().items():
            if name.startswith(prefix):
                yield name.removeprefix(prefix), unsealed(value)

    def stored(self) -> dict[str, Any]:
        """All of them as they are stored, whoever wrote them."""
        with believing(self._study, "what it says of itself"):
            found: dict[str, Any] = self._do(
                lambda: self._storage.get_study_user_attrs(self._study_id)
            )
            return found
