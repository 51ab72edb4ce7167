"""The Dagster room: thin files that call one function of another room and report about it."""
