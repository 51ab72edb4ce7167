"""How Celery's workers take runs; on their PYTHONPATH, where dagster-celery looks for this name."""

import os

broker_url = os.environ["CELERY_BROKER_URL"]

# A message is acknowledged when its run is over. Until then it is RabbitMQ's, which gives it to
# another worker when this one is gone, whether its process or only the child that ran it died.
task_acks_late = True
task_reject_on_worker_lost = True

# A run that waits behind another on the same worker could have begun elsewhere.
worker_prefetch_multiplier = 1

# A worker that loses RabbitMQ has lost its runs, which are repeated elsewhere: it ends its own
# copies. Where it cannot even do that, the claim on each paid scrape still holds.
worker_cancel_long_running_tasks_on_connection_loss = True
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
# Seconds without a sign of life after which either side gives the other up, at most twice as long.
broker_heartbeat = 30
broker_transport_options = {"confirm_publish": True}

# How a run went stands in Dagster's storage; nobody asks Celery.
task_ignore_result = True
result_backend = "rpc://"

# What the models of a build took from the system is given back with the process.
worker_max_tasks_per_child = 20
# Celery would put its own writer in place of what Dagster and dbt write to.
worker_redirect_stdouts = False
worker_hijack_root_logger = False
worker_send_task_events = False
