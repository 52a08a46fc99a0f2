"""How a study is run; of all this, results depend on the device alone."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag

from sweep.specs import Device
from sweep.values import Value

Workers = Annotated[
    Annotated[Literal["auto"], Tag("<auto>")]
    | Annotated[int, Field(ge=1, le=1024), Tag("<number>")],
    Discriminator(lambda value: "<auto>" if isinstance(value, str) else "<number>"),
]


def _whole_above_1(amount: float) -> float:
    """As Ray wants it of GPUs."""
    if amount > 1 and not amount.is_integer():
        raise ValueError("must be a part of a GPU, from 0 to 1, or a whole number of them")
    return amount


def _own_name(name: str) -> str:
    if name in ("CPU", "GPU"):
        keys = "cpus_per_task" if name == "CPU" else "gpus_per_encoder and gpus_per_draw"
        raise ValueError(f"{name} is no name for a resource of its own: {keys} say that")
    return name


Gpus = Annotated[float, Field(ge=0, le=1024), AfterValidator(_whole_above_1)]
ResourceName = Annotated[str, AfterValidator(_own_name)]


class RayDemands(Value):
    """What a task needs of a node of a Ray cluster."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    cpus_per_task: Annotated[float, Field(gt=0, le=1024)] = 1
    """CPUs that a task takes of its node; it trains with one thread."""
    gpus_per_encoder: Gpus = 0
    """GPUs that training an encoder takes, or a part of one; with 0 it is trained on the CPU."""
    gpus_per_draw: Gpus = 0
    """GPUs that training a draw's classifiers takes, or a part of one; with 0 it is on the CPU."""
    resources: dict[ResourceName, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """Resources that its node must have, by the names that the cluster gives them."""


class Execution(Value):
    """How a study is run: no result depends on it, but for whether Ray's tasks ask for GPUs."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    workers: Workers = "auto"
    """Worker processes; auto is one a core, or as many as a cluster has room for."""
    engine: Literal["local", "ray"] = "local"
    """Where workers run: on this machine, or on the nodes of a Ray cluster."""
    trial_timeout: Annotated[int, Field(ge=1)] = 3600
    """Seconds that one task may take: training one encoder, training one draw's classifiers, or
    scoring one selected trial."""
    ray: RayDemands = RayDemands()
    """What a task needs of a node of a cluster."""

    def device(self, *, encoder: bool) -> Device:
        """Where encoders are trained, or classifiers."""
        gpus = self.ray.gpus_per_encoder if encoder else self.ray.gpus_per_draw
        return "gpu" if self.engine == "ray" and gpus > 0 else None

    @property
    def identity(self) -> dict[str, Any]:
        """What results depend on, as JSON: which tasks are trained on a GPU; empty for none."""
        kinds = {"gpus_per_encoder": True, "gpus_per_draw": False}
        asked = {name: 1 for name, encoder in kinds.items() if self.device(encoder=encoder)}
        return {"engine": self.engine, "ray": asked} if asked else {}
