"""Rules judge samples: an expression that holds long enough is an alert."""
