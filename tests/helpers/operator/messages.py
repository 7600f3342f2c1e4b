"""Lists what the operator and its kubectl plugin say to people, so that it can be read in one go.

`python -m tests.helpers.operator.messages` prints the list; `make generate` writes it to
tests/operator/messages.txt. A message is a string of several words in the code that is not a
docstring: of a condition, an Event, an error, a log line, a help text or the CRD. Braces enclose
what is filled in.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import orders_common
import orders_operator

_PACKAGES = tuple(Path(it.__path__[0]) for it in (orders_common, orders_operator))
_NO_MESSAGES = frozenset({"re.compile", "cast"})


def messages() -> str:
    """Return every message below the name of its module."""
    parts = []
    for folder, file in ((it, file) for it in _PACKAGES for file in sorted(it.rglob("*.py"))):
        texts = dict.fromkeys(_texts(ast.parse(file.read_text())))
        if texts:
            name = str(file.relative_to(folder if folder is _PACKAGES[-1] else folder.parent))
            parts.append("\n".join([name, *(f"  {text}" for text in texts)]))
    return "\n\n".join(parts) + "\n"


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the messages of a tree in the order of the code."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return  # a docstring
        case ast.Call(func=ast.Name("Rule"), args=[_, message, *_]):
            yield from _texts(message)  # the rule itself is an expression in CEL
            return
        case ast.Call() if ast.unparse(node.func) in _NO_MESSAGES:
            return
        case ast.AnnAssign(annotation=ast.Constant(), value=value):
            yield from () if value is None else _texts(value)
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            for part in node.body:
                yield from _texts(part)
            return
        case ast.Constant() | ast.JoinedStr():
            if _is_prose(node):
                yield " ".join(_text(node).split())
            return
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _is_prose(node: ast.Constant | ast.JoinedStr) -> bool:
    """Whether a string has several words, at least one of them a word of its own."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    fixed = " ".join(_text(part) for part in parts if isinstance(part, ast.Constant))
    return len(_text(node).split()) > 1 and any(word.isalpha() for word in fixed.split())


def _text(node: ast.expr) -> str:
    """Return a string as it is read, with an expression where something is filled in."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(map(_text, values))
        case ast.FormattedValue(value=value):
            return f"{{{ast.unparse(value)}}}"
    return ""


if __name__ == "__main__":
    sys.stdout.write(messages())
