"""What a built page has: its ids, its links, and what a browser fetches for it."""

from html.parser import HTMLParser
from pathlib import Path

_FETCHED_BY_LINK = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "prefetch"}


class Document(HTMLParser):
    """One page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element refers to."""
        values = {name: value or "" for name, value in attrs}
        self.ids.update(values[name] for name in ("id", "name") if name in values)
        self.fetched.extend(values[name] for name in ("src", "srcset", "data") if name in values)
        if tag == "link":
            if _FETCHED_BY_LINK & set(values.get("rel", "").split()):
                self.fetched.append(values["href"])
        elif "href" in values:
            self.links.append(values["href"])
