"""Makes a page from an OpenAPI document: a reference that is searchable and needs no script."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

_PROBLEM: Final = "application/problem+json"
_BOUNDS: Final = {
    "format": "{}",
    "const": "`{}`",
    "enum": "one of {}",
    "minimum": "at least {:,}",
    "maximum": "at most {:,}",
    "minLength": "at least {:,} characters",
    "maxLength": "at most {:,} characters",
    "minItems": "at least {:,} items",
    "maxItems": "at most {:,} items",
    "default": "default `{}`",
}
"""The keywords of a schema that a table shows, in words. A description covers the pattern."""


class Reference:
    """The reference page of an OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def page(self) -> str:
        """Return the page, as Markdown."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        info = self._document["info"]
        yield "# API reference"
        yield f"\n{info['title']} {info['version']}. {info['description']}\n"
        yield "The same as a document: [OpenAPI](openapi.json). "
        yield "A running service has it at `/docs`, where requests can be tried out."
        for tag in self._document["tags"]:
            yield f"\n## {tag['name'].capitalize()}\n\n{tag['description']}"
            for path, item in self._document["paths"].items():
                for method, operation in item.items():
                    if isinstance(operation, dict) and tag["name"] in operation.get("tags", ()):
                        yield from self._operation(f"{method.upper()} {path}", operation)
        components = self._document["components"]
        yield "\n## Schemas"
        for name, schema in components["schemas"].items():
            yield f"\n### {name}\n\n{schema.get('description', '')}\n"
            yield from self._fields(schema)
        yield "\n## Headers of answers\n"
        yield from _table(
            ("header", "type", "", "example"),
            (
                (
                    f"`{name}`",
                    self._type(header["schema"]),
                    header["description"],
                    _code(header.get("example")),
                )
                for name, header in components["headers"].items()
            ),
        )

    def _operation(self, request: str, operation: dict[str, Any]) -> Iterator[str]:
        yield f"\n### {operation['summary']}\n\n```http\n{request}\n```\n"
        yield operation.get("description", "")
        if parameters := operation.get("parameters"):
            yield "\n**Parameters**\n"
            yield from _table(
                ("name", "in", "type", ""),
                (
                    (
                        f"`{parameter['name']}`" + (", required" if parameter["required"] else ""),
                        parameter["in"],
                        self._type(parameter["schema"]),
                        parameter["description"],
                    )
                    for parameter in map(self._resolved, parameters)
                ),
            )
        if body := operation.get("requestBody"):
            for media, content in body["content"].items():
                yield f"\n**Body**, `{media}`: {self._type(content['schema'])}\n"
                yield from _examples(content)
        yield "\n**Answers**\n"
        answers = {status: self._resolved(a) for status, a in operation["responses"].items()}
        yield from _table(
            ("status", "", "body", "headers"),
            (
                (
                    status,
                    answer["description"],
                    self._body(answer),
                    ", ".join(f"`{name}`" for name in answer.get("headers", {})),
                )
                for status, answer in answers.items()
            ),
        )
        for status, answer in answers.items():
            for media, content in answer.get("content", {}).items():
                if media != _PROBLEM:
                    yield f"\n**{status}**, `{media}`: {self._type(content['schema'])}\n"
                    yield from _examples(content)
        yield from self._problems(answers.values())

    def _problems(self, answers: Iterable[dict[str, Any]]) -> Iterator[str]:
        """Yield the problem documents of an operation, folded."""
        examples = [
            example
            for answer in answers
            for example in answer.get("content", {}).get(_PROBLEM, {}).get("examples", {}).values()
        ]
        if examples:
            yield '\n??? example "Problem documents"\n'
            for example in examples:
                yield f"    {example['value']['status']}: {example['summary']}\n"
                yield from (f"    {line}" for line in _json(example["value"]))
                yield ""

    def _body(self, answer: dict[str, Any]) -> str:
        content = answer.get("content", {})
        if problem := content.get(_PROBLEM):
            return "<br>".join(f"`{name}`" for name in problem.get("examples", {}))
        return ", ".join(self._type(of["schema"]) for of in content.values())

    def _fields(self, schema: dict[str, Any]) -> Iterator[str]:
        required = schema.get("required", ())
        yield from _table(
            ("field", "type", "", "example"),
            (
                (
                    f"`{name}`" + (", required" if name in required else ""),
                    self._type(field),
                    field.get("description", ""),
                    _code(next(iter(field.get("examples", ())), None)),
                )
                for name, field in schema.get("properties", {}).items()
            ),
        )

    def _type(self, schema: dict[str, Any]) -> str:
        """Return a schema's types in words, with links to schemas of their own."""
        if reference := schema.get("$ref"):
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        for keyword, word in (("allOf", " and "), ("anyOf", " or "), ("oneOf", " or ")):
            if parts := schema.get(keyword):
                return word.join(filter(None, map(self._type, parts)))
        kinds = schema.get("type", ())
        words = [" or ".join([kinds] if isinstance(kinds, str) else kinds)]
        if items := schema.get("items"):
            words[0] += f" of {self._type(items)}"
        for keyword, phrase in _BOUNDS.items():
            if (bound := schema.get(keyword)) not in (None, "", []):
                shown = ", ".join(f"`{one}`" for one in bound) if keyword == "enum" else bound
                words.append(phrase.format(shown))
        return ", ".join(filter(None, words))

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return a node, or the node that it refers to."""
        part: Any = self._document
        if reference := node.get("$ref"):
            for step in reference.removeprefix("#/").split("/"):
                part = part[step]
            return dict(part)
        return node


def _examples(content: dict[str, Any]) -> Iterator[str]:
    if "example" in content:
        yield from _json(content["example"])
    for example in content.get("examples", {}).values():
        yield f"{example.get('summary', '')}\n"
        yield from _json(example["value"])


def _json(value: object) -> list[str]:
    return ["```json", *json.dumps(value, indent=2, ensure_ascii=False).split("\n"), "```"]


def _code(value: object) -> str:
    return "" if value is None else f"`{value}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = tuple(head)
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        cells = (" ".join(cell.split()).replace("|", "\\|") for cell in row)
        yield f"| {' | '.join(cells)} |"
