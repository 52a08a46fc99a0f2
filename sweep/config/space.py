"""What is searched, and how."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pydantic import ConfigDict, model_validator

from sweep.config.dimensions import Dimension, Neurons, dimension
from sweep.specs import CLASSIFIER
from sweep.values import Value


def _nested_too(schema: dict[str, Any]) -> None:
    """Tell a space's JSON Schema of the mapping that :meth:`Space._with_dots` takes."""
    properties = schema["properties"]
    nested = {
        name.removeprefix(CLASSIFIER): each
        for name, each in properties.items()
        if name.startswith(CLASSIFIER)
    }
    if nested:
        properties[CLASSIFIER.rstrip(".")] = {
            "type": "object",
            "properties": nested,
            "additionalProperties": False,
        }


class Space(Value):
    """What is searched; each representation's has its own settings, too.

    Names are those of the block's keys, and ``classifier.learning_rate`` and the like.
    """

    model_config = ConfigDict(serialize_by_alias=True, json_schema_extra=_nested_too)

    hidden_neurons: dimension(Neurons)  # type: ignore[valid-type]  # a type made by a function

    @model_validator(mode="before")
    @classmethod
    def _with_dots(cls, space: Any) -> Any:
        """``classifier: {epochs: ...}`` says what ``classifier.epochs: ...`` says.

        What is null is not searched: older versions wrote that of every dimension.
        """
        if not isinstance(space, dict):
            return space
        space = {name: value for name, value in space.items() if value is not None}
        if not isinstance(space.get("classifier"), dict):
            return space
        nested = {f"{CLASSIFIER}{name}": value for name, value in space["classifier"].items()}
        return {name: value for name, value in space.items() if name != "classifier"} | nested

    @property
    def dimensions(self) -> dict[str, Dimension]:
        """What is searched, by name: what needs an encoder of its own first, neurons last."""
        found = {
            field.alias or name: getattr(self, name)
            for name, field in type(self).model_fields.items()
            if getattr(self, name) is not None
        }
        return dict(sorted(found.items(), key=lambda pair: _rank(pair[0])))

    @property
    def smallest(self) -> dict[str, float]:
        """The smallest value of each dimension."""
        return {name: each.smallest for name, each in self.dimensions.items()}

    @property
    def of_encoders(self) -> dict[str, Dimension]:
        """What an encoder of its own is trained for; nothing where there are no encoders."""
        found = self.dimensions
        if "latent_dim" not in found:
            return {}
        return {name: each for name, each in found.items() if _rank(name) < _rank(CLASSIFIER)}

    def encodings(self, known: Iterable[tuple[Any, ...]] = ()) -> float:
        """How many encoders it asks for on each draw, at the most; infinite where no end is.

        Args:
            known: what need not be counted; see :attr:`sweep.config.Cell.encoding`.
        """
        dimensions = self.of_encoders
        if not dimensions:
            return 0
        sizes = (
            math.inf if each.values is None else len(each.values) for each in dimensions.values()
        )
        return math.prod(sizes) - sum(self._asks_for(encoding) for encoding in known)

    def _asks_for(self, encoding: tuple[Any, ...]) -> bool:
        """Whether it has cells that stand on an encoder."""
        _, latent_dim, *varied = encoding
        values, dimensions = {"latent_dim": latent_dim, **dict(varied)}, self.of_encoders
        return values.keys() == dimensions.keys() and all(
            dimensions[name].has(value) for name, value in values.items()
        )


def _rank(name: str) -> int:
    """In which order dimensions stand; those of one rank keep that of the settings."""
    order = {"latent_dim": 0, "hidden_neurons": 3}
    return order.get(name, 2 if name.startswith(CLASSIFIER) else 1)
