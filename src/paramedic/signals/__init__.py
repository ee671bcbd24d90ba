"""Numbers over time: reading, keeping, asking."""
