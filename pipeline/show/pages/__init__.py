"""Pages about the project that are made from it: ``make docs``."""
