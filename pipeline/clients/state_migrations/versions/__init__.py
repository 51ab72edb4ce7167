"""One file per change of the schema; a released file is never edited."""
