"""What happened: events in the past tense, their codec, their fold into a view."""
