"""How a run behaves towards whoever started it."""

from dataclasses import dataclass

from pipeline.collect.scrape_round import ProfileProgress, Tell


def _nobody(_: ProfileProgress) -> None:
    """Nobody watches: the event log says it all."""


@dataclass(frozen=True)
class Conduct:
    """A run of a schedule waits and tries again; one that a person watches says at once what is up.

    A resource, so that whoever starts a run decides: the daemon takes the default, the command
    line brings its own.
    """

    is_patient: bool = True
    """Whether a step that can succeed later is tried again after a wait."""
    first_wait_s: float = 60.0
    """Wait before the first retry, in seconds."""
    tell: Tell = _nobody
    """Is told of each profile as it is scraped."""
