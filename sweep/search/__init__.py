"""Optuna's home: which trial comes next, and the ledger of what came of the trials before."""

import warnings

with warnings.catch_warnings():
    # Nothing of Optuna's shows a bar, but it asks for the widgets of a notebook.
    warnings.filterwarnings("ignore", "IProgress not found")
    import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
