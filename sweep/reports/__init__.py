"""What was measured beside what was published: computed as plain rows first, then drawn."""
