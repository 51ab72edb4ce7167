"""Rules about the parse of SQL: order, division, dates and whole numbers."""

from collections.abc import Callable, Iterator

from sqlglot import exp

from dbt_project.lint.two_engines import words

Found = tuple[exp.Expr, str]
"""The node that is wrong, and the sentence about it."""
_FRACTIONS = (exp.Div, exp.Avg, exp.Median, exp.WithinGroup, exp.Exp, exp.Ln, exp.Sqrt, exp.Pow)
_DATES = ("date", "_day", "_on", "week_start", "month_start")
"""How the names of columns end that hold a date."""


def offset_of(node: exp.Expr) -> int:
    """From which offset of the SQL on a node stands."""
    return min((one.meta["start"] for one in node.walk() if "start" in one.meta), default=0)


def _ties(node: exp.Expr) -> Iterator[Found]:
    if isinstance(node, exp.Window):
        function, order, spec = node.find(exp.Func), node.args.get("order"), node.args.get("spec")
        name = function.sql_name().lower() if function else ""
        is_by_rows = spec is not None and str(spec.args.get("kind")).upper() == "ROWS"
        if name in words.ORDERED_FUNCTIONS or is_by_rows:
            yield from _may_tie(node, order.expressions[-1].this if order else None, name)
    elif isinstance(node, (exp.ArgMax, exp.ArgMin)):
        name = "max_by" if isinstance(node, exp.ArgMax) else "min_by"
        yield from _may_tie(node, node.expression, name)


def _may_tie(node: exp.Expr, last: exp.Expr | None, name: str) -> Iterator[Found]:
    if not isinstance(last, exp.Column) or last.name not in words.UNTIED:
        ordered = _shown(last) if last is not None else "nothing"
        said = (
            f"the order of {name} ends with {ordered}, which rows may share: end it with a column"
        )
        where = "dbt_project/lint/two_engines/words.py"
        yield last or node, f"{said} that tells them apart, and say why in {where}"


def _divisions(node: exp.Expr) -> Iterator[Found]:
    if isinstance(node, (exp.Div, exp.Mod)) and not _is_never_zero(node.expression, node):
        said = f"division by {_shown(node.expression)}, which may be 0 (an error on Spark)"
        yield node.expression, f"{said}: write nullif(…, 0)"


def _is_never_zero(divisor: exp.Expr, division: exp.Expr) -> bool:
    """Whether the form of an expression, or a ``case`` around its division, rules out 0."""
    number = divisor.unnest()
    match number:
        case exp.Nullif():
            is_never = number.expression == exp.Literal.number(0)
        case exp.Neg() | exp.Cast() | exp.Sqrt() | exp.Abs():
            is_never = _is_never_zero(number.this, division)
        case exp.Mul():
            factors = (number.this, number.expression)
            is_never = all(_is_never_zero(factor, division) for factor in factors)
        case exp.Window():
            is_never = number.this == exp.Count(this=exp.Star(), big_int=True)
        case _:
            is_never = isinstance(number, exp.Exp) or _is_positive(number)
    return is_never or _is_guarded(number, division)


def _is_positive(node: exp.Expr) -> bool:
    """Whether it is above 0, provided that nothing negative is added to a number."""
    match node:
        case exp.Literal():
            return not node.is_string and float(node.this) > 0
        case exp.Paren():
            return _is_positive(node.this)
        case exp.Add():
            return _is_positive(node.this) or _is_positive(node.expression)
        case exp.Greatest():
            return any(_is_positive(one) for one in [node.this, *node.expressions])
    return False


def _is_guarded(divisor: exp.Expr, division: exp.Expr) -> bool:
    """Whether a ``case when`` around the division asks for the divisor to be above or not 0."""
    asked, branch = list[exp.Expr](), division.find_ancestor(exp.If)
    while branch is not None:
        asked.extend(branch.this.flatten() if isinstance(branch.this, exp.And) else [branch.this])
        branch = branch.find_ancestor(exp.If)
    return any(_rules_out_zero(condition.unnest(), divisor) for condition in asked)


def _rules_out_zero(condition: exp.Expr, divisor: exp.Expr) -> bool:
    if not isinstance(condition, (exp.GT, exp.GTE, exp.NEQ)):
        return False
    bound = condition.expression
    is_beside_zero = bound == exp.Literal.number(0) and not isinstance(condition, exp.GTE)
    return condition.this.unnest() == divisor and (is_beside_zero or _is_positive(bound))


def _dates(node: exp.Expr) -> Iterator[Found]:
    if not isinstance(node, (exp.Add, exp.Sub)):
        return
    sides = (node.this, node.expression)
    is_between_instants = isinstance(node, exp.Sub) and all(
        isinstance(side, exp.Column) and side.name.endswith("_at") for side in sides
    )
    if is_between_instants or any(_is_date(side) for side in sides):
        instead = "days_between(), hours_between(), date_plus_days() or instant_plus_days()"
        yield node, f"{_shown(node)} has another type on Spark: write {instead}"


def _is_date(node: exp.Expr) -> bool:
    if isinstance(node, exp.Cast):
        return node.to.this == exp.DataType.Type.DATE
    return isinstance(node, exp.Column) and node.name.endswith(_DATES)


def _whole_numbers(node: exp.Expr) -> Iterator[Found]:
    if isinstance(node, exp.Cast) and node.to.this in exp.DataType.INTEGER_TYPES:
        inner = node.this.unnest()
        if any(_has_fraction(part) for part in [inner, *_terms(inner)]):
            said = f"a cast of {_shown(inner)} to a whole number rounds on DuckDB and cuts off"
            yield inner, f"{said} on Spark: write floor() or round() around it"


def _terms(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren)):
        for part in node.iter_expressions():
            yield part
            yield from _terms(part)


def _has_fraction(node: exp.Expr) -> bool:
    is_number = isinstance(node, exp.Literal) and not node.is_string
    return isinstance(node, _FRACTIONS) or (is_number and not node.name.isdigit())


def _shown(node: exp.Expr) -> str:
    return node.sql(dialect="duckdb").lower()


PARSE_RULES: tuple[Callable[[exp.Expr], Iterator[Found]], ...] = (
    _ties,
    _divisions,
    _dates,
    _whole_numbers,
)
"""All rules about the parse; each takes one node."""
