"""``afterpost mirror`` and ``afterpost restore``: the home's other copy, and the way back."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import output
from pipeline.show.cli.options import AsJson
from pipeline.show.figure_words import count, plural

if TYPE_CHECKING:
    from pipeline.clients.mirror_check import Comparison
    from pipeline.clients.mirror_generations import Generation
    from pipeline.clients.mirror_store import MirrorStore
    from pipeline.collect.home_mirror import MirrorPlan, MirrorReport
    from pipeline.collect.landing_pruning import Pruned
    from pipeline.settings import Settings


def mirror(
    keep_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="DAYS",
            help="Afterwards remove the rows of older scrapes here; the mirror keeps them.",
        ),
    ] = None,
    accept_losses: Annotated[
        bool,
        typer.Option(
            "--accept-losses",
            help="Mirror a home that has lost landing files or state which the mirror has.",
        ),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="First read all of the mirror back; copy anew what is damaged."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy what cannot be made again to AFTERPOST_STORAGE_URL.

    Landing files, accounts, the state database, models, and the published tables. What the mirror
    has already is not copied again. However it is interrupted, the last mirror that ended stays
    whole. The last three are kept.

    Example: AFTERPOST_STORAGE_URL=s3://bucket/afterpost afterpost mirror --keep-days 30
    """
    from pipeline.collect.home_mirror import planned_mirror
    from pipeline.settings import load_settings

    settings = load_settings()
    with planned_mirror(settings, accepts_losses=accept_losses, reads_back=verify) as plan:
        with output.steps(len(plan.copies), quiet=True) as steps:
            report = plan.carry_out(steps.advance)
        if not as_json:
            _say_mirrored(plan, report)
        pruned = _prune(settings, plan, report, keep_days)
    if as_json:
        output.print_json(_mirror_figures(plan, report, pruned))
    elif pruned is not None:
        output.say(
            f"Removed the rows of {plural(pruned.file_count, 'scrape')} older than "
            f"{plural(keep_days or 0, 'day')} here ({_size(pruned.byte_count)}): the mirror has "
            "them, and every build finds them there."
        )


def _prune(
    settings: "Settings", plan: "MirrorPlan", report: "MirrorReport", keep_days: int | None
) -> "Pruned | None":
    if keep_days is None:
        return None
    from pipeline.clock import utc_now
    from pipeline.collect.landing_pruning import prunable, prune

    answers = prunable(settings, utc_now() - timedelta(days=keep_days))
    with output.steps(len(answers), quiet=True) as steps:
        return prune(plan.store, report.generation, answers, steps.advance)


def _say_mirrored(plan: "MirrorPlan", report: "MirrorReport") -> None:
    for problem in report.problems:
        output.note(output.plain(problem))
    output.say(
        f"Mirrored {plural(len(report.generation.files), 'file')} "
        f"({_size(report.byte_count)}) to {plan.store.shown}: "
        f"{count(report.copied_count)} copied ({_size(report.copied_bytes)}), the others were "
        f"there. Generation {report.generation.name}."
    )


def _mirror_figures(
    plan: "MirrorPlan", report: "MirrorReport", pruned: "Pruned | None"
) -> dict[str, Any]:
    return {
        "mirror": plan.store.shown,
        "generation": report.generation.name,
        "published_version": report.generation.published_version,
        "file_count": len(report.generation.files),
        "byte_count": report.byte_count,
        "copied_count": report.copied_count,
        "copied_bytes": report.copied_bytes,
        "removed_count": report.removed_count,
        "pruned_count": None if pruned is None else pruned.file_count,
        "pruned_bytes": None if pruned is None else pruned.byte_count,
        "problems": list(report.problems),
    }


def restore(
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="URL_OR_FOLDER",
            help="What AFTERPOST_STORAGE_URL was. Default: what it is.",
        ),
    ] = None,
    generation: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="An older one; --list shows them. Default: the last."),
    ] = None,
    list_them: Annotated[
        bool, typer.Option("--list", help="Only show what can be restored.")
    ] = False,
    landing: Annotated[
        bool,
        typer.Option("--landing", help="Only bring back landing files that are not here."),
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Set aside what is in the way; nothing is deleted."),
    ] = False,
    rebuild: Annotated[
        bool,
        typer.Option("--rebuild/--no-rebuild", help="Make the warehouse of what was restored."),
    ] = True,
    check: Annotated[
        bool,
        typer.Option(
            "--check/--no-check", help="Compare the tables, row by row, with the mirrored ones."
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Bring a home back from its mirror, and rebuild it.

    Every file is checked before any is put in place. A home that has data of its own is not
    touched. When interrupted, run it again.

    Example: afterpost restore --from s3://bucket/afterpost
    """
    from pipeline.clients.mirror_store import MirrorStore, open_mirror
    from pipeline.collect.home_restore import planned_restore
    from pipeline.settings import load_settings

    if list_them and (landing or force or generation):
        raise UsageError("--list only shows what there is: leave out the other options.")
    settings = load_settings()
    store = open_mirror(settings) if source is None else MirrorStore(source)
    if list_them:
        _list_generations(store, as_json=as_json)
        return
    with (
        planned_restore(
            settings, store, generation_name=generation, only_landing=landing, force=force
        ) as plan,
        output.steps(len(plan.files) + len(plan.state_files), quiet=True) as steps,
    ):
        plan.carry_out(steps.advance)
    if not as_json:
        output.say(
            f"Restored {plural(len(plan.files) + len(plan.state_files), 'file')} of generation "
            f"{plan.generation.name} to {output.short_path(settings.home)}; what was here already "
            "and the same stays."
        )
        if plan.in_the_way:
            output.say(
                f"What was in the way is in {output.short_path(settings.home / plan.aside)}."
            )
    comparison = None
    if rebuild and not landing:
        comparison = _rebuilt(settings, store, plan.generation, is_checked=check, quiet=as_json)
    elif not as_json:
        output.say("Next: afterpost rebuild")
    if as_json:
        output.print_json(_restore_figures(plan.generation, comparison, _figures_of(plan)))
    if comparison is not None and comparison.differences and not comparison.changed_inputs:
        raise typer.Exit(1)


def _rebuilt(
    settings: "Settings",
    store: "MirrorStore",
    generation: "Generation",
    *,
    is_checked: bool,
    quiet: bool,
) -> "Comparison | None":
    from pipeline.show.cli.build_commands import rebuild_home

    if not quiet:
        output.say("Rebuilding the warehouse from the landing files")
    rebuild_home(settings)
    if not is_checked or generation.published_version is None:
        return None
    from pipeline.clients.mirror_check import compare_tables

    comparison = compare_tables(settings, store, generation)
    if not quiet:
        _say_comparison(comparison)
    return comparison


def _say_comparison(comparison: "Comparison") -> None:
    if not comparison.differences:
        output.say(
            f"All {comparison.table_count} marts and statistics are the mirrored ones, row by row "
            f"({plural(comparison.row_count, 'row')})."
        )
        return
    output.table(
        [
            ("table", output.Align.LEFT),
            ("rows only here", output.Align.RIGHT),
            ("rows only mirrored", output.Align.RIGHT),
        ],
        [
            [one.table, count(one.only_here), count(one.only_mirrored)]
            for one in comparison.differences
        ],
    )
    found = plural(len(comparison.differences), "table")
    if comparison.changed_inputs:
        output.say(
            f"{found} of {comparison.table_count} differ from the mirrored ones, which were built "
            f"before these inputs changed: {', '.join(comparison.changed_inputs)}."
        )
    else:
        output.note(
            f"{found} of {comparison.table_count} differ from the mirrored ones, and the inputs "
            "are the same: the mirrored ones were built by another version of the program."
        )


def _figures_of(plan: Any) -> Mapping[str, Any]:
    return {
        "home": str(plan.settings.home),
        "mirror": plan.store.shown,
        "restored_count": len(plan.files) + len(plan.state_files),
        "set_aside": list(plan.in_the_way),
        "set_aside_in": str(plan.settings.home / plan.aside) if plan.in_the_way else None,
    }


def _restore_figures(
    generation: "Generation", comparison: "Comparison | None", figures: Mapping[str, Any]
) -> dict[str, Any]:
    compared = None
    if comparison is not None:
        compared = {
            "is_identical": not comparison.differences,
            "table_count": comparison.table_count,
            "row_count": comparison.row_count,
            "differences": [vars(one) for one in comparison.differences],
            "changed_inputs": list(comparison.changed_inputs),
        }
    return {**figures, "generation": generation.name, "comparison": compared}


def _list_generations(store: "MirrorStore", *, as_json: bool) -> None:
    from pipeline.clients.mirror_generations import current_name, generation_names, read_generation
    from pipeline.errors import MirrorDamagedError

    rows: list[dict[str, Any]] = []
    current = current_name(store)
    for name in generation_names(store):
        try:
            found: Generation | None = read_generation(store, name)
        except MirrorDamagedError:
            found = None
        rows.append(
            {
                "generation": name,
                "is_current": name == current,
                "is_damaged": found is None,
                "made_at": found.made_at if found else None,
                "file_count": len(found.files) if found else None,
                "byte_count": sum(file.size for file in found.files) if found else None,
            }
        )
    if as_json:
        output.print_json(rows)
        return
    if not rows:
        output.say(f"Nothing has been mirrored to {store.shown} yet.")
        return
    output.table(
        [
            ("generation", output.Align.LEFT),
            ("files", output.Align.RIGHT),
            ("size", output.Align.RIGHT),
            ("", output.Align.LEFT),
        ],
        [_listed(row) for row in rows],
    )


def _listed(row: Mapping[str, Any]) -> Sequence[str]:
    remark = "damaged" if row["is_damaged"] else "current" if row["is_current"] else ""
    size = row["byte_count"]
    return [
        row["generation"],
        count(row["file_count"]),
        count(None) if size is None else _size(size),
        remark,
    ]


def _size(byte_count: int) -> str:
    from pipeline.show.monitoring.health import size

    return size(byte_count)
