"""What stands inside of the page: data that cannot break out of it, and the Vega runtime.

The page may run what is inlined here and nothing else: its Content-Security-Policy names the hash
of each script and style. Without ``unsafe-eval`` Vega's expressions run in its interpreter.
"""

import base64
import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.atomic_files import write_atomically

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE_FOLDER = Path(__file__).parent / "page"
"""Templates, scripts and style of the dashboard, some of which the web app shares."""

_SNIPPET = "window.vegaEmbed = vegaEmbed;"
# In a script element "<" may begin a comment or an end tag; the two separators end a line in old
# JavaScript.
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def json_for_script(value: Any) -> str:
    """``value`` as compact JSON that may stand in a script element.

    Lone surrogates, which UTF-8 cannot hold, become replacement characters.

    Raises:
        ValueError: NaN or an infinity, which JSON lacks.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return well_formed(text)


def well_formed(text: str) -> str:
    """``text`` with each lone surrogate as U+FFFD."""
    return text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def templates_of(*folders: Path) -> "Environment":
    """Templates whose values are escaped, of some folders and of the dashboard's."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([*folders, PAGE_FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def script_hash(code: str) -> str:
    """A source expression of a Content-Security-Policy for exactly this script or style."""
    digest = hashlib.sha256(code.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def policy(scripts: list[str], styles: list[str]) -> str:
    """A Content-Security-Policy that allows these and otherwise nothing, the network included."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(script_hash, scripts))}",
            f"style-src {' '.join(map(script_hash, styles))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def vega_runtime(cache_dir: Path) -> str:
    """Vega, Vega-Lite and vega-embed as one script, which defines ``vegaEmbed``.

    Bundling takes seconds, so the bundle of each version of the library is kept in ``cache_dir``,
    and in the process.
    """
    if not _kept:
        _kept.append(_bundle(cache_dir))
    return _kept[0]


_kept: list[str] = []


def _bundle(cache_dir: Path) -> str:
    name = hashlib.sha256(f"{version('vl-convert-python')}\n{_SNIPPET}".encode()).hexdigest()[:16]
    kept = cache_dir / f"vega-{name}.js"
    try:
        return kept.read_text(encoding="utf-8")
    except FileNotFoundError:
        pass
    import vl_convert

    # In the head of a page only "</script" and "<!--" could end or change a script.
    code = vl_convert.javascript_bundle(_SNIPPET).replace("</script", "<\\/script")
    code = code.replace("<!--", "<\\!--")
    write_atomically(kept, code.encode("utf-8"))
    return code
