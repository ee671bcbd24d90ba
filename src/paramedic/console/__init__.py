"""The daemon's HTTP, for this machine only: a JSON API and a live stream; and the client of it."""
