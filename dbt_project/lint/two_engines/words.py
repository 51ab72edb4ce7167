"""What both engines read alike, and what of the rest to write instead."""

# fmt: off
FUNCTIONS = frozenset({
    "abs", "avg", "bool_and", "bool_or", "cast", "ceil", "chr", "coalesce", "count",
    "count_if", "covar_pop", "covar_samp", "decimal", "dense_rank", "exp", "extract",
    "first_value", "floor", "greatest", "lag", "last_value", "lead", "least", "left", "length",
    "ln", "log10", "log2", "lower", "ltrim", "max", "max_by", "median", "min", "min_by",
    "nullif", "percent_rank", "percentile_cont", "power", "rank", "replace", "right", "round",
    "row_number", "rtrim", "sign", "split_part", "sqrt", "stddev_pop", "stddev_samp",
    "substring", "sum", "trim", "try_cast", "upper", "var_pop", "var_samp",
})
# fmt: on
"""Functions that mean the same on both; all others belong into a macro of macros/engine."""

INSTEAD_OF_FUNCTIONS = {
    "concat": "|| (which is null when a part is, on both)",
    "log": "ln or log10",
    "corr": "ratio() of covar_pop and the root of two var_pop, which is null where nothing varies",
    "starts_with": "left() =",
    "regexp_matches": "matches_whole() or captured()",
    "dayofweek": "iso_weekday()",
    "isodow": "iso_weekday()",
    "date_diff": "days_between() or hours_between()",
    "datediff": "days_between() or hours_between()",
    "date_trunc": "week_of() or month_of()",
    "epoch": "hours_between()",
    "to_timestamp": "instant_of_epoch_s()",
    "timezone": "local_time()",
    "strptime": "instant_of_text()",
    "try_strptime": "instant_of_text()",
    "hash": "number_of_key()",
    "json_extract_string": "json_text()",
    "array_agg": "one row per element",
    "string_agg": "one row per element",
    "any_value": "min() or max(), which do not depend on the order of rows",
    "mode": "a count and a row_number() with ties broken",
    "skewness": "its formula from moments",
    "kurtosis": "its formula from moments",
}

FUNCTIONS_OF_ONE = {
    "round": ("round() to some decimals has other last bits on Spark", "rounded() or stable()"),
    "ltrim": ("ltrim() takes its two arguments the other way round on Spark", "replace()"),
    "rtrim": ("rtrim() takes its two arguments the other way round on Spark", "replace()"),
    "trim": ("trim() takes its two arguments the other way round on Spark", "replace()"),
}
"""Functions that mean the same with one argument only: why, and what to write instead."""

TYPES = frozenset({"bigint", "boolean", "date", "decimal", "double", "integer", "string"})
"""Types that both know by the same name."""

INSTEAD_OF_TYPES = {
    "varchar": "string",
    "text": "string",
    "char": "string",
    "timestamptz": "{{ type_instant() }}",
    "timestamp": "{{ type_instant() }}, or a macro of macros/engine for a time without zone",
    "int": "integer",
    "float": "double",
    "real": "double",
    "numeric": "decimal(p, s)",
}

UNTIED = {
    "age_hours": "a post has one row per age",
    "age_preference": "each age has a preference of its own",
    "dimension": "a row stands for one dimension",
    "engagement_terms": "rows are grouped by it",
    "figure": "a post has one row per figure and age",
    "is_post": "of what happens at one moment, posts change no running count",
    "item_index": "an item's place in its scrape",
    "local_date": "followers have one row per day",
    "outcome": "a segment has one effect per outcome",
    "post_id": "a platform's post",
    "prediction_id": "a prediction",
    "scrape_id": "a scrape",
    "scraped_at": "a post and a profile have one snapshot per moment",
    "segment": "a row stands for one segment of its dimension",
    "sequence": "counts what was written to the state",
    "source_label": "a metric has one value per export and label",
    "stage": "a post has one row per stage of its growth",
    "valid_from": "a metric has one definition from a day on",
}
"""Columns that no two rows of a window or group share, and why: what an order may end with."""

ORDERED_FUNCTIONS = frozenset({"row_number", "lag", "lead", "first_value", "last_value", "ntile"})
"""Functions of a window whose result depends on the order of rows that tie."""

OPERATORS = {
    "CARET": ("^", "power()"),
    "DSTAR": ("**", "power()"),
    "TILDE": ("~", "matches_whole()"),
    "ARROW": ("->", "json_text()"),
    "DARROW": ("->>", "json_text()"),
    "HASH_ARROW": ("#>", "json_text()"),
    "DHASH_ARROW": ("#>>", "json_text()"),
    "LAMBDA": ("a lambda", "one row per element"),
    "L_BRACKET": ("[ ]", "columns of their own"),
    "L_BRACE": ("{ }", "columns of their own"),
    "COLON_EQ": (":=", "arguments by their places"),
    "GLOB": ("glob", "like"),
    "RLIKE": ("a pattern", "matches_whole()"),
    "SIMILAR_TO": ("similar to", "matches_whole()"),
    "ASOF": ("asof", "a join of the newest row by row_number()"),
    "POSITIONAL": ("positional", "a join by key"),
    "TABLE_SAMPLE": ("a sample", "a condition on number_of_key()"),
    "UNNEST": ("unnest", "one row per element"),
}
"""Kinds of tokens that one engine alone reads: what it is, and what to write instead."""

PHRASES = {
    ("distinct", "on", "("): ("distinct on", "row_number() with ties broken"),
    ("*", "exclude"): ("exclude", "the columns by name"),
    ("*", "replace"): ("* replace", "the columns by name"),
    ("by", "name"): ("by name", "the columns in one order"),
    ("at", "time", "zone"): ("at time zone", "local_time()"),
    ("not", "materialized"): ("not materialized", "{{ not_kept() }}"),
    ("as", "materialized"): ("as materialized", "nothing: it is a hint"),
    ("using", "sample"): ("using sample", "a condition on number_of_key()"),
    ("interval", "("): ("an interval of an expression", "date_plus_days() or instant_plus_days()"),
    ("columns", "("): ("columns()", "the columns by name"),
}
"""Words in a row that one engine alone reads: what it is, and what to write instead."""
