"""Experiments from elsewhere: what their files must be, and what their counts say."""

import math
from pathlib import Path

import duckdb
import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from pipeline.errors import ImportFileError
from pipeline.learn.experiments.anytime import look
from pipeline.learn.experiments.arms import NotComparableError, binomial_arm, difference
from pipeline.learn.experiments.counts_file import CountedArm, Experiments, read_counts
from pipeline.learn.experiments.imported import read_experiment
from pipeline.learn.experiments.imported_reading import (
    PLANNED,
    Contrasts,
    Correction,
    ImportedExperiment,
    Question,
)
from pipeline.learn.experiments.registration import MetricKind
from pipeline.learn.experiments.verdicts import Size, Verdict

SHARES = Question(MetricKind.PROPORTION)


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str, metric: str = "proportion", by: str | None = None) -> Experiments:
        path = tmp_path / "counts.csv"
        path.write_text(text, encoding="utf-8")
        return read_counts(path, MetricKind(metric), by)

    return read


def _of(read, text: str, question: Question) -> ImportedExperiment:
    return read_experiment(read(text, question.metric)[None], question)


def test_shares_have_the_two_proportion_test_and_both_scales(read):
    found = _of(read, "arm,units,successes\nusual,4000,200\ntried,4100,260\n", SHARES)

    (contrast,) = found.contrasts
    _, p = proportions_ztest([260, 200], [4100, 4000])
    assert contrast.p_value_fixed == pytest.approx(p, abs=1e-12)
    assert contrast.p_value_fixed_adjusted == contrast.p_value_fixed
    assert contrast.effect == pytest.approx(260 / 4100 - 0.05)
    assert contrast.ratio == pytest.approx(260 / 4100 / 0.05)
    assert contrast.p_value_anytime > contrast.p_value_fixed
    ends = (
        contrast.effect_low_anytime,
        contrast.effect_low_fixed,
        contrast.effect,
        contrast.effect_high_fixed,
        contrast.effect_high_anytime,
    )
    assert np.all(np.diff(np.array(ends, float)) > 0)
    ratios = (contrast.ratio_low_anytime, contrast.ratio_low_fixed, contrast.ratio)
    assert np.all(np.diff(np.array(ratios, float)) > 0)
    assert sum(found.chances_best.values()) == pytest.approx(1)
    assert found.confidence == 0.95


@pytest.mark.parametrize("metric", ["continuous", "count"])
def test_values_are_compared_by_their_means_as_they_are(read, metric: str):
    rng = np.random.default_rng(1)
    usual, tried = rng.negative_binomial(2, 0.1, 90), rng.negative_binomial(2, 0.08, 110)
    rows = [f"usual,{v}" for v in usual] + [f"tried,{v}" for v in tried]

    found = _of(read, "\n".join(["arm,value", *rows]), Question(MetricKind(metric)))

    (contrast,) = found.contrasts
    expected = CompareMeans(DescrStatsW(tried), DescrStatsW(usual))
    _, p, _ = expected.ttest_ind(usevar="unequal")
    low, high = expected.tconfint_diff(usevar="unequal")
    assert contrast.p_value_fixed == pytest.approx(p, abs=1e-9)
    assert (contrast.effect_low_fixed, contrast.effect_high_fixed) == pytest.approx((low, high))
    assert contrast.ratio == pytest.approx(tried.mean() / usual.mean())


def test_logarithms_compare_geometric_means(read):
    text = "arm,value\n" + "\n".join(
        f"{arm},{math.exp(v)}" for arm, v in zip("abababab", [1, 2, 3, 4, 2, 5, 4, 4], strict=True)
    )

    found = _of(read, text, Question(MetricKind.CONTINUOUS, logarithms=True))

    expected = stats.ttest_ind([2, 4, 5, 4], [1, 3, 2, 4], equal_var=False)
    assert found.contrasts[0].p_value_fixed == pytest.approx(expected.pvalue)
    assert found.contrasts[0].ratio == pytest.approx(math.exp(3.75 - 2.5))


def test_a_value_without_a_logarithm_is_refused(read):
    with pytest.raises(NotComparableError, match="'b' has the value 0"):
        _of(
            read,
            "arm,value\na,1\na,2\nb,0\nb,1\n",
            Question(MetricKind.CONTINUOUS, logarithms=True),
        )


THREE = "arm,units,successes\nb,2000,100\na,2000,140\nc,2000,160\n"


def test_each_arm_is_compared_with_the_usual_one_or_each_with_each(read):
    def pairs(**asked) -> list[tuple[str, str]]:
        found = _of(read, THREE, Question(MetricKind.PROPORTION, **asked))
        return [(contrast.usual, contrast.tried) for contrast in found.contrasts]

    assert pairs() == [("b", "a"), ("b", "c")]
    assert pairs(control="a") == [("a", "b"), ("a", "c")]
    assert pairs(contrasts=Contrasts.ALL) == [("b", "a"), ("b", "c"), ("a", "c")]
    with pytest.raises(NotComparableError, match="'x' is not in the file"):
        pairs(control="x")


def test_corrections_are_for_the_number_of_contrasts(read):
    found = {
        correction: _of(read, THREE, Question(MetricKind.PROPORTION, correction=correction))
        for correction in Correction
    }

    plain = [contrast.p_value_fixed for contrast in found[Correction.NONE].contrasts]
    holm = [contrast.p_value_fixed_adjusted for contrast in found[Correction.HOLM].contrasts]
    twice = [c.p_value_fixed_adjusted for c in found[Correction.BONFERRONI].contrasts]
    assert twice == pytest.approx([2 * p for p in plain])
    assert sorted(holm) == pytest.approx([2 * min(plain), max(plain)])
    assert found[Correction.NONE].confidence == 0.95
    assert found[Correction.HOLM].confidence == pytest.approx(0.975)


def test_the_best_arm_that_beats_the_usual_one_wins(read):
    found = _of(read, "arm,units,successes\nu,9000,400\na,9000,560\nb,9000,600\n", SHARES)

    assert (found.verdict, found.winner) == (Verdict.WINNER, "b")


def test_the_usual_arm_wins_only_when_it_beats_all(read):
    one_open = _of(read, "arm,units,successes\nu,9000,600\na,9000,400\nb,9000,590\n", SHARES)
    beaten = _of(read, "arm,units,successes\nu,9000,600\na,9000,400\nb,9000,410\n", SHARES)

    assert (one_open.verdict, one_open.winner) == (Verdict.KEEP_GOING, None)
    assert (beaten.verdict, beaten.winner) == (Verdict.WINNER, "u")


def test_practical_size_needs_a_smallest_useful_effect(read):
    text = "arm,units,successes\nu,90000,9000\na,90000,9500\n"

    unnamed = _of(read, text, SHARES)
    named = _of(read, text, Question(MetricKind.PROPORTION, smallest_useful_ratio=1.2))

    assert (unnamed.contrasts[0].size, unnamed.verdict) == (None, Verdict.WINNER)
    assert named.contrasts[0].size is Size.NEGLIGIBLE
    assert named.verdict is Verdict.NO_USEFUL_DIFFERENCE


def test_a_split_that_chance_does_not_give_makes_it_invalid_unless_it_was_declared(read):
    text = "arm,units,successes\nu,6000,300\na,3000,250\n"

    flagged = _of(read, text, SHARES)
    declared = _of(read, text, Question(MetricKind.PROPORTION, shares={"u": 2, "a": 1}))

    assert (flagged.verdict, flagged.winner) == (Verdict.INVALID, None)
    assert "6000 and 3000 units" in flagged.because
    assert flagged.contrasts[0].p_value_fixed < 0.001
    assert (declared.verdict, declared.winner) == (Verdict.WINNER, "a")
    with pytest.raises(NotComparableError, match="declared for u and x"):
        _of(read, text, Question(MetricKind.PROPORTION, shares={"u": 2, "x": 1}))


def test_rows_of_the_same_arm_are_added_up_and_said(read):
    found = _of(read, "arm,units,successes\nu,3000,100\na,6000,300\nu,3000,120\n", SHARES)

    assert [(arm.arm, arm.units, arm.successes) for arm in found.arms] == [
        ("u", 6000, 220),
        ("a", 6000, 300),
    ]
    assert found.notes == ("Arm 'u' has 2 rows; they are added up.",)


def test_arms_that_do_not_vary_or_are_small_conclude_nothing_and_say_so(read):
    none = _of(read, "arm,units,successes\nu,50,0\na,50,0\n", SHARES)
    same = _of(read, "arm,value\n" + "u,2\n" * 9 + "a,3\n" * 9, Question(MetricKind.COUNT))
    few = _of(read, "arm,units,successes\nu,500,1\na,500,4\n", SHARES)

    for found in (none, same, few):
        assert found.contrasts[0].p_value_anytime == 1
        assert (found.verdict, found.winner) == (Verdict.KEEP_GOING, None)
        assert len(found.notes) == 1
    assert (none.contrasts[0].p_value_fixed, none.contrasts[0].ratio) == (1, None)
    assert (same.contrasts[0].p_value_fixed, same.contrasts[0].effect_low_fixed) == (1, None)


def test_means_that_are_not_positive_have_no_ratio(read):
    values = "".join(f"u,{v}\na,{v + 9}\n" for v in (-6, -5, -4, -7, -5, -4, -6, -5))

    (contrast,) = _of(read, "arm,value\n" + values, Question(MetricKind.CONTINUOUS)).contrasts

    assert (contrast.ratio, contrast.ratio_low_anytime) == (None, None)
    assert contrast.effect_low_fixed is not None
    assert contrast.effect_low_fixed > 7


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("arm,units,successes\nu,50,5\n", "There is one arm"),
        ("arm,units,successes\nu,50,5\na,1,1\n", "Arm 'a' has one unit"),
        ("arm,units,successes\nu,50,5\na,0,0\n", "Arm 'a' has no units"),
    ],
)
def test_designs_without_a_comparison_are_invalid(read, text: str, sentence: str):
    found = _of(read, text, SHARES)

    assert found.verdict is Verdict.INVALID
    assert found.because.startswith(sentence)
    assert found.contrasts == ()


@pytest.mark.parametrize(
    ("text", "metric", "sentence"),
    [
        ("arm,units\nu,50\n", "proportion", "no column 'successes'"),
        ("arm,units,successes\nu,50,5\na,many,5\n", "proportion", "row 2, column units: 'many'"),
        ("arm,units,successes\nu,50,5\na,50,60\n", "proportion", "row 2: '60' successes"),
        ("arm,units,successes\nu,50,-5\n", "proportion", "row 1, column successes: '-5' is neg"),
        ("arm,units,successes\nu,50.5,5\n", "proportion", "'50.5' is not a whole number"),
        ("arm,units,successes\nu,50,\n", "proportion", "column successes: it is empty"),
        ("arm,units,successes\n,50,5\n", "proportion", "row 1, column arm: it is empty"),
        ("arm,units,successes\n", "proportion", "it has no rows"),
        ("", "proportion", "it is empty"),
        ("arm,value\nu,1\nu,nan\n", "continuous", "row 2, column value: 'nan' is no number"),
        ("arm,value\nu,inf\n", "continuous", "row 1, column value: 'inf' is no number"),
        ("arm,value\nu,1.5\n", "count", "'1.5' is not a whole number"),
        ("arm,value\nu,-1\n", "count", "'-1' is negative"),
    ],
)
def test_a_file_with_a_wrong_cell_is_refused_with_its_place(read, text, metric, sentence):
    with pytest.raises(ImportFileError) as refusal:
        read(text, metric)

    assert "counts.csv" in str(refusal.value)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_torn_and_missing_files_are_refused(tmp_path: Path):
    torn, bytes_only = tmp_path / "counts.parquet", tmp_path / "counts.csv"
    torn.write_bytes(b"PAR1 not really")
    bytes_only.write_bytes(b"arm,units,successes\n\xff\xfe,1,1\n")

    for path in (torn, bytes_only, tmp_path / "none.csv", tmp_path):
        with pytest.raises(ImportFileError, match=str(path)):
            read_counts(path, MetricKind.PROPORTION)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_quoted_cells_delimiters_marks_and_odd_names_are_read(tmp_path: Path, delimiter: str):
    path = tmp_path / "a[1]*.csv"
    rows = [("Units", "extra", "ARM", "successes"), ("50", "x", f'"it{delimiter} ""is"""', "5")]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    path.write_text(f"\N{BYTE ORDER MARK}{text}\r\n", encoding="utf-8")

    (arm,) = read_counts(path, MetricKind.PROPORTION)[None]

    assert (arm.name, arm.units, arm.successes) == (f'it{delimiter} "is"', 50, 5)


def test_parquet_holds_many_experiments_told_apart_by_a_column(tmp_path: Path):
    path = tmp_path / "many.parquet"
    duckdb.execute(
        "copy (select 't' || (i // 2) as test, i % 2 as arm, 100 + i as units, i as successes"
        " from range(6) as numbers(i) order by i) to '" + str(path) + "'"
    )

    found = read_counts(path, MetricKind.PROPORTION, by="test")

    assert list(found) == ["t0", "t1", "t2"]
    assert [(arm.name, arm.units, arm.successes) for arm in found["t1"]] == [
        ("0", 102, 2),
        ("1", 103, 3),
    ]


def test_files_of_the_same_experiment_at_many_times_call_few_false_winners():
    """Nobody names a planned size, and the file of every evening is read."""
    rng = np.random.default_rng(8)
    clicks = rng.binomial(80, 0.05, size=(2, 2000, 100)).cumsum(axis=2)
    units = np.broadcast_to(80 * np.arange(1, 101), clicks[0].shape)
    seen = difference(*(binomial_arm(arm, units) for arm in clicks))

    evenings = look(seen, PLANNED[MetricKind.PROPORTION]).p_value

    assert (evenings.min(axis=1) <= 0.05).mean() <= 0.03
    arms = [
        CountedArm(name, 4000, int(won[0, 49]), None, 1)
        for name, won in zip("ua", clicks, strict=True)
    ]
    (contrast,) = read_experiment(arms, SHARES).contrasts
    assert contrast.p_value_anytime == pytest.approx(float(evenings[0, 49]))
