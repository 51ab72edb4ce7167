"""What SQL takes for quantiles and bounds, against SciPy's."""

import duckdb
import jinja2
import numpy as np
import pytest
from scipy import stats

from pipeline.measure.dbt_runs import DBT_PROJECT


def _value(expression: str) -> float | None:
    """A macro's value, rendered as dbt would and run."""
    text = (DBT_PROJECT / "macros" / "statistics.sql").read_text(encoding="utf-8")
    template = jinja2.Environment(autoescape=False).from_string(text + "select " + expression)
    sql = template.render(**{"return": lambda value: value})
    with duckdb.connect() as connection:
        row = connection.execute(sql).fetchone()
    assert row is not None
    return None if row[0] is None else float(row[0])


@pytest.mark.parametrize("degrees", [3, 4, 7, 15, 40, 400])
def test_students_quantile_is_close_from_three_degrees_up(degrees: int) -> None:
    exact = stats.t.ppf(0.95, degrees)
    assert _value(f"{{{{ student_quantile('{degrees}') }}}}") == pytest.approx(exact, rel=0.003)
    if degrees >= 7:
        wide = _value(f"{{{{ student_quantile('{degrees}', z_99()) }}}}")
        assert wide == pytest.approx(stats.t.ppf(0.995, degrees), rel=0.02)


def test_two_degrees_of_freedom_give_no_interval() -> None:
    assert _value("{{ student_quantile('2') }}") is None


@pytest.mark.parametrize("probability", [0.5, 0.7, 0.9, 0.99, 0.9999])
def test_the_normal_quantile_is_close(probability: float) -> None:
    found = _value(f"{{{{ upper_normal_quantile('{probability}') }}}}")
    assert found == pytest.approx(stats.norm.ppf(probability), abs=0.0005)


@pytest.mark.parametrize(("events", "trials"), [(0, 20), (7, 20), (20, 20), (1, 3)])
def test_a_shares_bounds_are_wilsons(events: int, trials: int) -> None:
    exact = stats.binomtest(events, trials).proportion_ci(0.9, method="wilson")
    low = _value(f"{{{{ wilson_bound('{events}', '{trials}', '-') }}}}")
    high = _value(f"{{{{ wilson_bound('{events}', '{trials}', '+') }}}}")
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=1e-6)


def test_welchs_degrees_are_those_of_its_test() -> None:
    generator = np.random.default_rng(2)
    a, b = generator.standard_normal(8), 3 * generator.standard_normal(20)
    moments = f"'8', '{a.var(ddof=1)}', '20', '{b.var(ddof=1)}'"
    exact = stats.ttest_ind(a, b, equal_var=False)
    assert _value(f"{{{{ welch_degrees({moments}) }}}}") == pytest.approx(exact.df, rel=1e-6)
    error = abs(a.mean() - b.mean()) / abs(exact.statistic)
    assert _value(f"{{{{ welch_variance({moments}) }}}}") == pytest.approx(error**2, rel=1e-6)
