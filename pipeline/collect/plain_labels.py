"""The rules' labels of many ordinary captions at once, inside the database.

An ordinary caption has letters, digits and signs of ASCII, line ends, and signs such as emoji that
stand between words in every engine. On such text the database's regular expressions (RE2) find
what Python's find, so :func:`pipeline.collect.labels.rule_label` and
:func:`pipeline.collect.hook_styles.hook_style` give the same labels; all other captions go there.
"""

import re
from collections.abc import Sequence

from pipeline.accounts import AccountConfig, Labelled
from pipeline.collect.hook_styles import (
    LONGEST_LINE,
    NOT_PROSE,
    NUMBER_OF_ANOTHER_KIND,
    SIGNS,
    HookStyle,
)
from pipeline.collect.labels import Dimension, keyword_forms, label_lists

SIGN_RANGES = (
    (0xB7, 0xB7),  # middle dot
    (0x200D, 0x200D),  # joins emoji
    (0x2010, 0x2010),
    (0x2012, 0x2015),  # dashes
    (0x2018, 0x2019),
    (0x201C, 0x201D),  # quotation marks
    (0x2022, 0x2022),  # bullet
    (0x2190, 0x21FF),  # arrows
    (0x2500, 0x2775),  # lines, boxes, emoji
    (0x2794, 0x27BF),
    (0x2B00, 0x2B59),
    (0xFE0E, 0xFE0F),  # how the emoji before looks
    (0x1F1E6, 0x1F1FF),  # flags
    (0x1F300, 0x1FAFF),  # emoji
)
"""Signs beyond ASCII that are no letter, digit, space or number in any case or normal form."""

_SIGN = "".join(f"\\x{{{first:X}}}-\\x{{{last:X}}}" for first, last in SIGN_RANGES)
_ORDINARY = f"[ -~\\n{_SIGN}]*"
_ORDINARY_CHARACTER = re.compile(
    "[ -~{}]".format("".join(f"{chr(first)}-{chr(last)}" for first, last in SIGN_RANGES))
)
_HOOK_STYLE = Dimension.HOOK_STYLE.value


def is_ordinary_sql(caption: str) -> str:
    """Condition that a caption is missing or ordinary; ``caption`` is a column's name."""
    return f"coalesce(regexp_full_match({caption}, {_quoted(_ORDINARY)}), true)"


def rule_labels_sql(account: AccountConfig, posts: str) -> str:
    """Query for the rules' labels of some posts: a row each, a column for each dimension.

    A dimension without keywords has no column. Everything is told in one pass over the captions.

    Args:
        account: Its lists name what there is.
        posts: A table or query with the columns ``platform, post_id, caption`` whose captions are
            all ordinary.
    """
    lists = {name.value: names for name, names in label_lists(account).items() if _is_ruled(names)}
    lists.pop(_HOOK_STYLE, None)
    hits = "".join(f", {_hits_sql(names)} as {name}" for name, names in lists.items())
    labels = "".join(f", {_most_hit_sql(name, names)} as {name}" for name, names in lists.items())
    query = (
        "select platform, post_id, caption as said, lower(caption) as words "  # noqa: S608
        f"from {posts}"
    )
    query = f"select platform, post_id, said{hits} from ({query})"  # noqa: S608 - our own words
    query = f"select platform, post_id, said{labels} from ({query})"  # noqa: S608
    return _with_hook_style(query, "".join(f", {name}" for name in lists))


def _is_ruled(names: Sequence[Labelled]) -> bool:
    return any(_patterns(one) for one in names)


def _with_hook_style(query: str, labels: str) -> str:
    """As :func:`pipeline.collect.hook_styles.hook_style`, step by step.

    A costly step is behind a cheap test wherever most captions need it not.
    """
    question, number, *others = SIGNS
    # Hashtags, mentions and addresses are no words.
    prose = (
        "case when contains(said, '#') or contains(said, '@') or contains(said, '://') "
        f"then regexp_replace(said, {_quoted(NOT_PROSE.pattern)}, ' ', 'g') else said end"
    )
    first_line = (
        "case when contains(said, '\n') "
        "then regexp_extract(said, '[^\n]*[A-Za-z0-9][^\n]*') else said end"
    )
    single_spaces = (
        "case when contains(said, '  ') then regexp_replace(said, '  +', ' ', 'g') else said end"
    )
    with_words = (
        "case when not regexp_matches(said, '[A-Za-z0-9]') then '' "
        "when starts_with(said, ' ') or ends_with(said, ' ') then trim(said) else said end"
    )
    first_sentence = (
        f"case when length(said) > {LONGEST_LINE} and regexp_matches(said, '[.!?] ') "
        "then regexp_extract(said, '^(.*?[.!?]) ', 1) else said end"
    )
    plain = "replace(lower(said), '’', '''')"
    kept = f"platform, post_id{labels}"
    for step in (prose, first_line, single_spaces, with_words, first_sentence, plain):
        query = f"select {kept}, {step} as said from ({query})"  # noqa: S608 - our own words
    counted = (
        "case when regexp_matches(said, '[0-9]') then regexp_replace(said, "
        f"{_quoted(NUMBER_OF_ANOTHER_KIND.pattern)}, ' ', 'g') else said end"
    )
    any_other = _quoted("|".join(SIGNS[style].pattern for style in others))
    cases = " ".join(f"when {_finds(style, 'said')} then '{style.value}'" for style in others)
    return (
        f"select {kept}, case when coalesce(said, '') = '' then null "  # noqa: S608
        f"when contains(said, '?') and {_finds(question, 'said')} then '{question.value}' "
        f"when {_finds(number, 'counted')} then '{number.value}' "
        f"when regexp_matches(said, {any_other}) then case {cases} end "
        f"else '{HookStyle.STATEMENT.value}' end as {_HOOK_STYLE} "
        f"from (select *, {counted} as counted from ({query}))"
    )


def _finds(style: HookStyle, words: str) -> str:
    return f"regexp_matches({words}, {_quoted(SIGNS[style].pattern)})"


def _hits_sql(names: Sequence[Labelled]) -> str:
    """The numbers of hits of each name in ``words``; null where there is none of all keywords."""
    patterns = [_patterns(one) for one in names]
    every = "|".join(pattern for some in patterns for pattern in some)
    hits = (
        " + ".join(f"len(regexp_extract_all(words, {_quoted(pattern)}))" for pattern in some)
        for some in patterns
    )
    return (
        f"case when regexp_matches(words, {_quoted(every)}) "
        f"then [{', '.join(one or '0' for one in hits)}] end"
    )


def _most_hit_sql(hits: str, names: Sequence[Labelled]) -> str:
    """The name with most hits, null on a tie; ``hits`` is a column of lists."""
    listed = ", ".join(f"'{one.name}'" for one in names)
    first = f"list_position({hits}, list_max({hits}))"
    last = f"{len(names) + 1} - list_position(list_reverse({hits}), list_max({hits}))"
    return f"case when list_max({hits}) > 0 and {first} = {last} then [{listed}][{first}] end"


def _patterns(one: Labelled) -> list[str]:
    """Patterns whose hits together are those of a name's keywords.

    Whole words cannot overlap, so that one pattern finds all of them; longer keywords have their
    own, because each is counted for itself.
    """
    words: list[str] = []
    longer: list[str] = []
    for keyword in dict.fromkeys(one.keywords):
        forms = keyword_forms(keyword)
        if not all(_ORDINARY_CHARACTER.match(character) for form in forms for character in form):
            continue  # stands in no ordinary caption
        if len(forms) == 1 and re.fullmatch(r"\w+", forms[0], re.ASCII):
            words.append(forms[0])
        elif forms:
            longer.append("|".join(map(_bounded, forms)))
    # A word that two keywords write in different cases counts twice.
    doubled = [word for place, word in enumerate(words) if word in words[:place]]
    single = f"\\b(?:{'|'.join(dict.fromkeys(words))})\\b" if words else None
    return [*([single] if single else []), *(f"\\b{word}\\b" for word in doubled), *longer]


def _bounded(form: str) -> str:
    """A keyword's form with no part of a word before or after it."""
    before, after = ("\\b" if re.match(r"\w", end, re.ASCII) else "\\B" for end in (form, form[-1]))
    words = "\\s+".join(re.escape(word) for word in form.split(" "))
    return f"{before}{words}{after}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
