"""Resources hand out plain objects; a run reads the environment when it starts."""

import dagster as dg

from pipeline.settings import Settings, load_settings


class SettingsResource(dg.ConfigurableResource[Settings]):
    """The settings of this process's environment.

    It has no fields on purpose: what is in a resource's configuration is stored with each run,
    and the settings hold secrets.
    """

    def create_resource(self, context: dg.InitResourceContext) -> Settings:  # noqa: ARG002
        """Settings for one run."""
        return load_settings()
