"""What sqlfluff's template knows as ``graph``: a style check reads one file, not the project."""

nodes: dict[str, object] = {}
