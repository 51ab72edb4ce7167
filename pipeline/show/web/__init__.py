"""The web server: what other programs ask over HTTP."""
