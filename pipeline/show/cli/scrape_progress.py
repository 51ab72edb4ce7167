"""What ``afterpost scrape`` shows as it goes: a bar on a terminal, else a line per profile."""

from typing import TYPE_CHECKING

from pipeline.show.cli import output

if TYPE_CHECKING:
    from pipeline.collect.scrape_round import ProfileProgress


class ScrapeProgress:
    """Told of each profile by the run; keeps what went wrong."""

    def __init__(self, steps: output.Steps) -> None:
        """Show on ``steps``, of which there are as many as profiles to scrape."""
        self._steps = steps
        self.errors: list[str] = []
        """One sentence per profile that could not be scraped, each once."""

    def tell(self, progress: "ProfileProgress") -> None:
        """A profile's turn has come, or it is done."""
        where = f"{progress.account_name} on {progress.platform.value} ({progress.source_kind})"
        if progress.error is not None:
            sentence = str(progress.error)
            if sentence not in self.errors:
                self.errors.append(sentence)
            self._steps.done(output.plain(f"Not scraped: {where}"))
        elif progress.report is not None:
            self._steps.done(output.plain(progress.report.line))
        else:
            self._steps.doing(where)
