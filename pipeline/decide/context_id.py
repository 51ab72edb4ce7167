"""The id of a context: a hash of what it says. Only the standard library, for the generator."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def context_id_of(document: Mapping[str, Any]) -> str:
    """The hash of a context's content: of everything but ``context_id`` itself."""
    content = {key: value for key, value in document.items() if key != "context_id"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"ctx_{hashlib.sha256(canonical.encode()).hexdigest()[:12]}"
