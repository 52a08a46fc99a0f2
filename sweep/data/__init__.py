"""Images and labels, and how they are divided."""
