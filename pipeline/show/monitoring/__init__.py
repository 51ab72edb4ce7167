"""What programs watch: metrics for Prometheus, and the state of everything on one screen."""
