"""Why an engine is unwell: causes named from logs, arguments, exits and numbers, with evidence."""
