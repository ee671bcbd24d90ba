"""Recordings: what was seen of an engine over a while, kept in a folder, and read again for a diagnosis."""
