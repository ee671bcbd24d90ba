"""Paramedic: the on-call engineer for LLM inference servers."""

__version__ = "0.1.0"
