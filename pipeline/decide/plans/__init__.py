"""Action plans: what somebody means to do about a finding, and what came of it."""
