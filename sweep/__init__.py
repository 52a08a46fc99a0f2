"""latent-sweep: compare classifiers on VAE latents with classifiers on pixels, trial by trial.

``sweep.load`` opens a study, ``sweep.run`` runs one, and ``sweep.StudyConfig`` is the model of a
config. They are loaded when they are asked for, so that importing the package takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["StudyConfig", "__version__", "load", "run"]

if TYPE_CHECKING:
    from sweep.api.opening import load, run
    from sweep.config import StudyConfig
else:
    _HOMES = {
        "load": "sweep.api.opening",
        "run": "sweep.api.opening",
        "StudyConfig": "sweep.config",
    }

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'sweep' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
