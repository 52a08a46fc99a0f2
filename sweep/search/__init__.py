"""Optuna's home: which trial comes next, and the ledger of what came of the trials before."""

import optuna

optuna.logging.set_verbosity(optuna.logging.WARNING)
