"""Timing claims, each as a command that measures it beside a peer; see README.md here."""
