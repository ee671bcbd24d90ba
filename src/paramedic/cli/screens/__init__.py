"""What a person sees: one renderer a screen, for a terminal and for a pipe."""
