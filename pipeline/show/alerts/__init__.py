"""Alerts: what deserves somebody's attention, told once, followed until it is over."""
