"""The alerts that are open, for programs."""

from typing import Any

from pipeline.clients.state_alerts import alert_rows
from pipeline.settings import Settings
from pipeline.show.alerts.findings import Alert


def open_alerts(settings: Settings) -> list[dict[str, Any]]:
    """Each open alert in words, the newest first; acknowledged ones are open too.

    Raises:
        ConfigurationError: The state database cannot be used.
    """
    alerts = [Alert.from_row(row) for row in alert_rows(settings, only_open=True)]
    return [
        {
            "id": alert.alert_id,
            "account": alert.account_name,
            "kind": alert.kind.value,
            "platform": alert.platform,
            "severity": alert.severity.value,
            "message": alert.sentence,
            "first_seen_at": alert.first_seen_at,
            "last_seen_at": alert.last_seen_at,
            "acknowledged_at": alert.acknowledged_at,
            "acknowledged_by": alert.acknowledged_by,
        }
        for alert in alerts
    ]
