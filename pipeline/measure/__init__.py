"""Measure: models on the warehouse, and statistics on plain data."""
