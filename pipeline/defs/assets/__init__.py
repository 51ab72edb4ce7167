"""One thin file per step of the loop."""
