"""Logs of engines, wherever they lie."""
