"""Who asks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """Who asks, and what is open to them."""

    name: str
    """What is stored with a decision."""
    accounts: frozenset[str] | None = None
    """The accounts that may be seen and changed; None for all."""

    def may_see(self, account_name: str) -> bool:
        """Whether an account is open to the caller."""
        return self.accounts is None or account_name in self.accounts
