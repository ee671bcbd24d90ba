"""A pretend vLLM 0.32: its processes, API, metrics and log lines, and the ways in which the real one dies."""
