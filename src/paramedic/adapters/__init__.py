"""The world: each module meets one outside thing and implements one port for it."""
