"""Putting it together: configuration, wiring, start, stop."""
