"""What a flight recorder gathers around an engine: GPU, host, kernel, and how the engine was started."""
