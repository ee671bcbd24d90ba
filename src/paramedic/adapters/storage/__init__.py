"""Where samples and the journal are kept."""
