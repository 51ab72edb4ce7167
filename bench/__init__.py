"""Measurements that people start by hand; results are figures, not tests."""
