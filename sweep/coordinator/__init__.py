"""The only loop: asks what is next, has it trained, records it, and projects it into MLflow."""
