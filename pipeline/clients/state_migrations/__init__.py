"""Alembic migrations of the state database, in the order of their numbers."""
