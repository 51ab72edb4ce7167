"""A world whose truth is known: demo data, runs without any effect, recovery of planted effects."""
