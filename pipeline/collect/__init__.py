"""What sources answered: scraped or imported, landed whole, then loaded into the raw schema."""
