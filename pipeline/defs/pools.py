"""Pools: what few runs may do at a time, where an instance sets a limit."""

WAREHOUSE_POOL = "warehouse"
"""Steps that write the warehouse. Its lock makes them wait for each other in any case, for a few
minutes; an instance with many workers does not even start a second such run."""
