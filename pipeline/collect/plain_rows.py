"""Telling ordinary posts inside the database, by the signs that a platform's file names.

Nothing here decides anything on its own: a row with all signs is a post for the platform's
``classify`` too, with the same id and the same owner, and a row without goes there.
"""

from collections.abc import Iterable

from pipeline.collect.platform_interface import ItemKind, PlainPosts

_EMPTY = "'null', '[]', 'false', '\"\"'"
_NO_NUMBERS = ("NaN", "Infinity")
"""What stands for numbers that JSON does not have; a caption may say the words too."""
_HALF_CHARACTER = "\\ud"
"""Begins every escaped lone surrogate, at which the database's JSON reader fails."""


def ordinary_posts_sql(signs: PlainPosts, source: str) -> str:
    """Query over landed rows: the source's columns, and of ordinary posts their kind and id.

    ``item_kind`` and ``post_id`` are null where a row is no ordinary post.

    Args:
        signs: The platform's.
        source: A relation with the columns ``payload``, ``owner`` (the account's handle as
            platforms write it) and ``is_any_author`` (posts of every author are the account's
            own); SQL of ours, never a user's.
    """
    leading = (signs.post_id, signs.author, *signs.numbers)
    names = list(dict.fromkeys((*leading, *signs.empty, *signs.missing, *signs.fixed)))
    paths = ", ".join(f"'$.{name}'" for name in names)
    value = {name: f"signs[{number}]" for number, name in enumerate(names, start=1)}
    post_id, author = value[signs.post_id], value[signs.author]
    tests = [
        # Written without any escape, so that the text between the quotes is the value.
        f"regexp_full_match({post_id}, '\"[0-9]{{1,20}}\"')",
        f"regexp_full_match({author}, '\"[A-Za-z0-9._]{{1,64}}\"')",
        _any(f"regexp_full_match({value[name]}, '[0-9]{{1,18}}')" for name in signs.numbers),
        *(f"coalesce({value[name]} in ({_EMPTY}), true)" for name in signs.empty),
        *(f"{value[name]} is null" for name in signs.missing),
        *(
            f"coalesce({value[name]} in ('null', '\"{text}\"'), true)"
            for name, text in signs.fixed.items()
        ),
        # Joined keys have to be taken apart.
        "not contains(keys, '/')",
        "not contains(keys, '.')",
        *(f"not contains(payload, '{word}')" for word in _NO_NUMBERS),
    ]
    is_own = f"is_any_author or lower(trim({author}, '\"')) = owner"
    return (
        "select * exclude (readable, keys, signs), "  # noqa: S608 - our own words
        f"case when {' and '.join(tests)} then case when {is_own} then '{ItemKind.POST.value}' "
        f"else '{ItemKind.FOREIGN_POST.value}' end end as item_kind, "
        f"case when item_kind is not null then trim({post_id}, '\"') end as post_id "
        "from (select *, array_to_string(json_keys(readable), '') as keys, "
        f"cast(json_extract(readable, [{paths}]) as varchar[]) as signs "
        f"from (select *, case when not contains(payload, '{_HALF_CHARACTER}') then payload end "
        f"as readable from {source}))"
    )


def _any(tests: Iterable[str]) -> str:
    return f"({' or '.join(f'coalesce({test}, false)' for test in tests)})"
