"""Rules about the words of SQL, one by one and in a row."""

from collections.abc import Callable, Iterator, Sequence

from sqlglot.tokens import Token

from dbt_project.lint.two_engines import words

Found = tuple[int, str]
"""From which offset of the SQL on, and the sentence about it."""
_END_OF_ORDER = frozenset({"limit", "offset", "rows", "range", "groups", "qualify", "union", ";"})
_NULLS = (["nulls", "first"], ["nulls", "last"])


def _unordered_nulls(tokens: Sequence[Token]) -> Iterator[Found]:
    for index, token in enumerate(tokens):
        is_of_group = index > 1 and tokens[index - 2].text.lower() in {"group", "within group"}
        # percentile_cont leaves nulls out, wherever they would go.
        if token.text.lower() != "order by" or is_of_group:
            continue
        for item in _order_items(tokens[index + 1 :]):
            if [one.text.lower() for one in item[-2:]] not in _NULLS:
                ordered = " ".join(one.text for one in item[:6])
                said = f"`order by {ordered}` does not say where nulls go, and the engines differ"
                yield item[0].start, f"{said}: write nulls first or nulls last"


def _order_items(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    depth, item = 0, list[Token]()
    for token in tokens:
        word = token.text.lower()
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0 or (depth == 0 and word in _END_OF_ORDER):
            break
        if depth == 0 and word == ",":
            yield item
            item = []
        else:
            item.append(token)
    if item:
        yield item


def _decimals(tokens: Sequence[Token]) -> Iterator[Found]:
    for index, token in enumerate(tokens):
        is_decimal = token.token_type.name == "NUMBER" and "." in token.text
        is_share = index > 1 and tokens[index - 2].text.lower() == "percentile_cont"
        if is_decimal and "e" not in token.text.lower() and not is_share:
            said = f"{token.text} is a decimal, whose division Spark rounds"
            yield token.start, f"{said}: write {token.text}e0"


def _operators(tokens: Sequence[Token]) -> Iterator[Found]:
    for token in tokens:
        kind = token.token_type.name
        if kind == "IDENTIFIER":
            yield token.start, f'"{token.text}" is a text on Spark: name the column without quotes'
        elif kind == "DIV" and token.text == "//":
            yield token.start, "// is not known to Spark: write floor(a / nullif(b, 0))"
        elif kind in words.OPERATORS:
            what, instead = words.OPERATORS[kind]
            yield token.start, f"{what} is not the same on both engines: write {instead}"


def _phrases(tokens: Sequence[Token]) -> Iterator[Found]:
    # A text's words are no words of SQL.
    texts = ["''" if token.token_type.name == "STRING" else token.text.lower() for token in tokens]
    for index, token in enumerate(tokens):
        for phrase, (what, instead) in words.PHRASES.items():
            if tuple(texts[index : index + len(phrase)]) == phrase:
                yield token.start, f"{what} is not the same on both engines: write {instead}"


def _functions(tokens: Sequence[Token]) -> Iterator[Found]:
    for index, token in enumerate(tokens[:-1]):
        name = token.text.lower()
        is_call = tokens[index + 1].text == "(" and tokens[index + 1].start == token.end + 1
        if not is_call or not name.isidentifier() or token.token_type.name == "STRING":
            continue
        if name not in words.FUNCTIONS:
            instead = words.INSTEAD_OF_FUNCTIONS.get(name, "a macro of macros/engine")
            yield token.start, f"{name}() is not the same on both engines: write {instead}"
        elif name in words.FUNCTIONS_OF_ONE and _argument_count(tokens[index + 2 :]) > 1:
            what, instead = words.FUNCTIONS_OF_ONE[name]
            yield token.start, f"{what}: write {instead}"


def _argument_count(tokens: Sequence[Token]) -> int:
    depth, count = 1, 1
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth == 0:
            break
        count += depth == 1 and token.text == ","
    return count


def _types(tokens: Sequence[Token]) -> Iterator[Found]:
    for token in _named_types(tokens):
        name = token.text.lower()
        if name not in words.TYPES:
            instead = words.INSTEAD_OF_TYPES.get(name, "a type that both know")
            yield token.start, f"the type {name} is not one of both engines: write {instead}"


def _named_types(tokens: Sequence[Token]) -> Iterator[Token]:
    """Types in casts and beside a new table's columns, and before a text that gets one."""
    casts = list[bool]()
    for index, token in enumerate(tokens[:-1]):
        before, name, following = tokens[index - 1], token.text.lower(), tokens[index + 1]
        is_known = name in words.TYPES or name in words.INSTEAD_OF_TYPES
        is_of_column = before.token_type.name == "VAR" and following.text in {",", ")"}
        is_of_text = following.token_type.name == "STRING"
        if name == "(":
            casts.append(before.text.lower() in {"cast", "try_cast"})
        elif name == ")" and casts:
            casts.pop()
        elif (name == "as" and casts and casts[-1]) or name == "::":
            yield following
        elif is_known and (is_of_column or is_of_text):
            yield token


def _backslashes(tokens: Sequence[Token]) -> Iterator[Found]:
    for token in tokens:
        if token.token_type.name == "STRING" and "\\" in token.text:
            said = "Spark reads a backslash in a text as the beginning of a sign"
            yield token.start, f"{said}: write [0-9] and the like, or a macro of macros/engine"


WORD_RULES: tuple[Callable[[Sequence[Token]], Iterator[Found]], ...] = (
    _unordered_nulls,
    _decimals,
    _operators,
    _phrases,
    _functions,
    _types,
    _backslashes,
)
"""All rules about words; each takes the words of all statements."""
