"""Seals: what was changed in a storage is refused, and never believed."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import DamagedStorageError
from sweep.search.recorded import recorded
from sweep.search.seals import sealed, unsealed
from sweep.search.storage import open_storage
from sweep.search.study import Study
from tests.search.builders import FACTS, begin, complete, config, result

values = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
).filter(lambda value: "seal" not in value)


@given(values, values)
def test_a_seal_is_of_its_value(value: dict[str, object], other: dict[str, object]) -> None:
    """Through JSON it comes back as it was; under another's seal it does not."""
    kept = json.loads(json.dumps(sealed(value)))
    assert unsealed(kept) == json.loads(json.dumps(value))
    if value != other:
        with pytest.raises(ValueError, match="checksum"):
            unsealed(other | {"seal": kept["seal"]})


def test_what_has_no_seal_is_read_as_it_is() -> None:
    """Older versions wrote none."""
    assert unsealed({"a": 1}) == {"a": 1}
    assert unsealed([1, 2]) == [1, 2]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("trial_user_attributes", "result"),
        ("trial_user_attributes", "spec"),
        ("study_user_attributes", "config"),
        ("study_user_attributes", "data"),
    ],
)
@pytest.mark.parametrize("damage", ["digit", "truncated"])
def test_what_was_changed_is_named(tmp_path: Path, table: str, key: str, damage: str) -> None:
    """With the study, and what to do; whatever of it was changed."""
    file = tmp_path / "optuna.db"
    study = Study(open_storage(f"sqlite:///{file}"), config(vae=1), FACTS)
    attempt = begin(study)
    assert attempt is not None
    complete(study, attempt, result(attempt))
    assert recorded(open_storage(f"sqlite:///{file}"), "study").attempts[0].result is not None
    with sqlite3.connect(file) as connection:
        ((text,),) = connection.execute(f"SELECT value_json FROM {table} WHERE key = ?", (key,))
        place = next(i for i, c in enumerate(text) if c.isdigit() and text[:i].count("seal") == 0)
        other = text[: len(text) // 2]
        if damage == "digit":
            other = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        connection.execute(f"UPDATE {table} SET value_json = ? WHERE key = ?", (other, key))
    connection.close()
    with pytest.raises(DamagedStorageError, match="the study 'study' is damaged") as raised:
        recorded(open_storage(f"sqlite:///{file}"), "study")
    assert raised.value.exit_status == 2
    assert raised.value.hint
