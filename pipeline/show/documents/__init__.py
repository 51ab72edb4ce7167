"""What is written about the project by the project itself: ``make docs``."""
