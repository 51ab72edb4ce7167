"""Talking about posts with the numbers at hand: what a model is told, and what it may look up."""
