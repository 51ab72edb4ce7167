"""How a registered experiment and its reading are written on a terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.show.cli import output
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import MISSING, moment, percent, plural, times

if TYPE_CHECKING:
    from pipeline.learn.experiments.managing import Managed
    from pipeline.learn.experiments.reading_stored import StoredExperiment
    from pipeline.learn.experiments.readings import ContrastReading, ExperimentReading
    from pipeline.learn.experiments.registration import Registration

_UNTOLD = "not yet"


def say_registration(
    registration: "Registration", assignments: Sequence[Mapping[str, Any]]
) -> None:
    """What was registered, and how many drafts each arm has been given."""
    given = Counter(row["arm"] for row in assignments)
    output.heading("Arms")
    output.table(
        [("arm", Align.LEFT), ("what", Align.LEFT), ("drafts", Align.RIGHT)],
        [
            (
                arm.name,
                "; ".join(
                    filter(
                        None,
                        (
                            ", ".join(f"{name} {value}" for name, value in arm.choices.items()),
                            arm.instructions,
                        ),
                    )
                )
                or "left to the draw",
                str(given[arm.name]),
            )
            for arm in registration.arms
        ],
    )
    output.heading("Registered")
    output.say(
        f"{registration.metric}, smallest useful effect {registration.smallest_useful_ratio:g} "
        f"times; error {registration.alpha:g}, power {registration.power:g}"
    )
    output.say(
        f"{registration.planned_per_arm:,} posts per arm planned, at most "
        f"{registration.longest_per_arm:,}; {percent(registration.draw_share)} of draws join"
    )
    for guard in registration.guards:
        output.say(f"guard: {guard.metric} may fall to {guard.smallest_allowed_ratio:g} times")
    output.say(
        f"by {output.plain(registration.created_by)} at {moment(registration.created_at)}, "
        f"hash {registration.sha256()[:12]}"
    )


def say_reading(stored: "StoredExperiment") -> None:
    """What an experiment shows."""
    from pipeline.learn.experiments.plan_words import weeks_words

    row, registration, reading = stored.row, stored.registration, stored.reading
    output.say_indented(
        f"{row['experiment_id']}: "
        f"{output.plain(registration.question) if registration else row['account_name']}"
    )
    verdict, because = row["verdict"], row["because"]
    if verdict is None and stored.problem is not None:
        verdict, because = "invalid", stored.problem
    elif verdict is None and reading is not None and row["status"] != "stopped":
        verdict, because = reading.verdict.value, reading.because
    won = f" ({output.plain(reading.winner)})" if reading is not None and reading.winner else ""
    output.say_indented(
        f"{(verdict or row['status']).replace('_', ' ')}{won}: "
        f"{output.plain(because or 'Nothing can be read yet.')}"
    )
    if reading is None:
        return
    if row["concluded_at"] is None and reading.weeks_left is not None:
        output.say(f"About {weeks_words(reading.weeks_left)} to go.")
    _say_arms(reading)
    _say_contrasts(reading)
    for fault in reading.faults:
        output.say_indented(f"Invalid: {output.plain(fault)}")
    for note in reading.notes:
        output.say_indented(f"Note: {output.plain(note)}")


def _say_arms(reading: "ExperimentReading") -> None:
    output.heading("Arms")
    output.table(
        [
            ("arm", Align.LEFT),
            ("drafts", Align.RIGHT),
            ("posts", Align.RIGHT),
            ("old enough", Align.RIGHT),
            ("mean", Align.RIGHT),
            ("median", Align.RIGHT),
            ("best", Align.RIGHT),
        ],
        [
            (
                arm.name,
                str(arm.assigned_n),
                str(arm.posted_n),
                str(arm.n),
                _number(arm.mean),
                _number(arm.median),
                percent(arm.chance_best),
            )
            for arm in reading.arms
        ],
    )


def _say_contrasts(reading: "ExperimentReading") -> None:
    output.heading("Compared")
    for contrast in reading.contrasts:
        pair = f"{output.plain(contrast.tried)} to {output.plain(contrast.usual)}"
        if contrast.ratio is None:
            output.say_indented(f"{pair}: too few posts to compare")
            continue
        output.say_indented(
            f"{pair}: {times(contrast.ratio)} ({_ends(contrast.ratio_low, contrast.ratio_high)}), "
            f"a difference of {_number(contrast.effect)} "
            f"({_ends(contrast.effect_low, contrast.effect_high)})"
        )
        output.say(f"  at any look: p = {contrast.p_value_anytime_adjusted:.3g}, adjusted")
        output.say(f"  at the planned end: {_fixed(contrast)}")
        because = "" if contrast.because == reading.because else f"; {contrast.because}"
        output.say_indented(f"  size: {contrast.size.value}{output.plain(because)}")
    for guard in reading.guards:
        harmed = "worse than is allowed" if guard.is_harmed else "within bounds"
        output.say_indented(
            f"guard {guard.metric}, {output.plain(guard.tried)}: {times(guard.ratio)} "
            f"({_ends(guard.ratio_low, guard.ratio_high)}), {harmed}"
        )


def _fixed(contrast: "ContrastReading") -> str:
    fixed = contrast.fixed
    if fixed is None:
        return _UNTOLD
    ends = _ends(fixed.ratio_low, fixed.ratio_high)
    return f"p = {fixed.p_value_adjusted:.3g}, adjusted; ratio {ends}"


def _number(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _ends(low: float | None, high: float | None) -> str:
    """An interval, of which an end may be open."""
    if low is None and high is None:
        return "nothing excluded yet"
    return f"{_number(low)} to {_number(high)}"


def say_managed(managed: "Managed") -> None:
    """What a run of the management did."""
    for line in managed.lines:
        output.say_indented(output.plain(line))
    if not managed.lines:
        running = plural(len(managed.running), "experiment")
        output.say(f"Nothing new; {running} running.")
    for problem in managed.problems:
        output.say_error(problem)
