"""Resources hand out plain objects; a run reads the environment when it starts."""

import dagster as dg

from pipeline.defs.ghosts import PROCESS_TAG, this_process
from pipeline.settings import Settings, load_settings


class SettingsResource(dg.ConfigurableResource[Settings]):
    """The settings of this process's environment.

    It has no fields on purpose: what is in a resource's configuration is stored with each run,
    and the settings hold secrets.
    """

    def create_resource(self, context: dg.InitResourceContext) -> Settings:
        """Settings for one run, which notes its process on the way: see ``ghosts``."""
        if context.instance is not None and context.run_id:
            context.instance.add_run_tags(context.run_id, {PROCESS_TAG: this_process()})
        return load_settings()
