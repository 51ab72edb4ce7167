"""afterpost: collect, measure, learn, decide, look back."""
