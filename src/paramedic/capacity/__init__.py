"""What fits on a machine, and what a flag would change."""
