"""``afterpost metrics``: the metrics as Prometheus reads them."""

import sys

from pipeline.show.cli import options, output


def metrics(as_json: options.AsJson = False) -> None:
    """Print the metrics of this moment for Prometheus.

    The same text as /metrics of `afterpost web`, for a cron job that writes it where
    node_exporter's textfile collector looks.

    Example: afterpost metrics > /var/lib/node_exporter/afterpost.prom
    """
    from pipeline.settings import load_settings
    from pipeline.show.monitoring.exposition import metrics_figures, plain_text

    settings = load_settings()
    if as_json:
        output.print_json(metrics_figures(settings))
        return
    sys.stdout.write(plain_text(settings))
