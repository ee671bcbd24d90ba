"""Processes of engines, as Linux shows them under /proc."""
