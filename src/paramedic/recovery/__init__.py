"""What may be done about it: a ladder of actions behind guards."""
