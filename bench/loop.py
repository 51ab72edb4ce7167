"""Whether the loop learns: half a year of drawing, measuring, recommending and deciding.

Each world has five formats with planted multipliers, dealt at random. Every week the generator
draws posts by the context, outcomes become known, effects are measured among many segments that
differ in nothing, and the policy ``auto`` approves what is recommended. Everything is what the
product runs, except for the files in between. Scored is the planted expectation of what is drawn
outside of the holdout, so that luck of single posts does not count.
"""

import argparse
import json
import math
import platform
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from bench.loop_worlds import MULTIPLIERS, SEED, Outcome, Setting, run_world

RESULTS = Path(__file__).parent / "results"


def is_right(row: Mapping[str, Any]) -> bool:
    """Worked: there is a gain. Did not work: there is none that would have been useful."""
    if row["verdict"] == "worked":
        return bool(row["planted"] > 0)
    return bool(row["planted"] < math.log(row["smallest_useful_ratio"]))


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """The figures of one setting over its worlds."""
    gains = np.array([outcome.gain for outcome in outcomes])
    rows = [row for outcome in outcomes for row in outcome.verdicts]
    decided = [row for row in rows if row["verdict"] != "cannot_tell"]
    expected = [row["expected_share_decided"] for row in rows]
    known = [share for share in expected if share is not None]
    return {
        "worlds": len(outcomes),
        "gain_of_oracle": round(float(gains.mean()), 4),
        "gain_standard_error": round(float(gains.std(ddof=1) / math.sqrt(len(gains))), 4),
        "share_below_even_weights": round(float(np.mean(gains < 0)), 4),
        "approvals_per_world": round(float(np.mean([o.approvals for o in outcomes])), 2),
        "verdicts": dict(Counter(row["verdict"] for row in rows)),
        "verdicts_by_evidence": dict(Counter(row["evidence"] for row in decided)),
        "share_decided_within_8_weeks": _share(len(decided), len(rows)),
        "share_decided_expected": round(float(np.mean(known)), 4) if known else None,
        "share_of_decided_right": _share(sum(map(is_right, decided)), len(decided)),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


SETTINGS = {
    "rates": Setting("engagement_rate_7d", 0.5, 168, 15),
    "rates at 30 a week": Setting("engagement_rate_7d", 0.5, 168, 30),
    "rates at 60 a week": Setting("engagement_rate_7d", 0.5, 168, 60),
    "views": Setting("views_72h", 1.3, 72, 15),
    "views at 30 a week": Setting("views_72h", 1.3, 72, 30),
    "views at 60 a week": Setting("views_72h", 1.3, 72, 60),
}


def main() -> None:
    """Run the settings, print a table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=50)
    parser.add_argument("--only", choices=sorted(SETTINGS), action="append")
    asked = parser.parse_args()
    figures: dict[str, Any] = {
        "seed": SEED,
        "weeks": 26,
        "multipliers": MULTIPLIERS,
        "versions": {"duckdb": duckdb.__version__, "numpy": np.__version__,
                     "python": platform.python_version()},
        "settings": {},
    }  # fmt: skip
    print(f"{'':<20} {'gain':>6} {'± se':>6} {'below':>6} {'decided':>8} {'expected':>8} "
          f"{'right':>6}  verdicts")  # fmt: skip
    for name, setting in SETTINGS.items():
        if asked.only and name not in asked.only:
            continue
        began = time.perf_counter()
        found = summary([run_world(setting, seed) for seed in range(asked.worlds)])
        found["seconds"] = round(time.perf_counter() - began, 1)
        figures["settings"][name] = found
        print(f"{name:<20} {found['gain_of_oracle']:>6.2f} {found['gain_standard_error']:>6.2f} "
              f"{found['share_below_even_weights']:>6.1%} "
              f"{_percent(found['share_decided_within_8_weeks']):>8} "
              f"{_percent(found['share_decided_expected']):>8} "
              f"{_percent(found['share_of_decided_right']):>6}  {found['verdicts']}",
              flush=True)  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "loop.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


if __name__ == "__main__":
    main()
