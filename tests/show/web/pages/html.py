"""Pages as text and tags, read by the standard library."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Tag:
    """One start tag."""

    name: str
    attributes: dict[str, str]
    text: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = source
        self.tags: list[Tag] = []
        self._text: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(Tag(tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    @property
    def text(self) -> str:
        """What is read, in one line."""
        return " ".join(" ".join(self._text).split())

    def all(self, name: str, /, **attributes: str) -> list[Tag]:
        """Tags of a name with these attributes."""
        return [
            tag
            for tag in self.tags
            if tag.name == name
            and all(tag.attributes.get(key) == value for key, value in attributes.items())
        ]

    def value(self, name: str) -> str:
        """What a field of the page's forms has been given."""
        return next(tag.attributes["value"] for tag in self.all("input", name=name))

    def links(self, prefix: str) -> list[str]:
        """Addresses that begin so, each once."""
        found = [tag.attributes.get("href", "") for tag in self.all("a")]
        return list(dict.fromkeys(one for one in found if one.startswith(prefix)))
