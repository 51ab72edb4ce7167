"""Charts: figures of the reports as Vega-Lite specifications, made with Altair."""
