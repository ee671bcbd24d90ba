"""The nouns: targets, samples, alerts, findings, actions. Frozen dataclasses, standard library only."""
