"""The Python interface, which ``import sweep`` offers and loads when it is asked for."""
