"""Reading the log files that a command was given."""

from paramedic.app.log_files import LogText, read_logs

__all__ = ["LogText", "read_logs"]
