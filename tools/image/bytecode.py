"""Compiles modules to `.pyc` files in place of their source.

Tracebacks name the source's place. The files contain no time, so the same source gives the same
bytes. Docstrings of other people's modules, a sixth of their code, are left out; assertions stay.
"""

import ast
import importlib.util
import marshal
from pathlib import Path

_FLAGS = 0b01  # PEP 552: a hash of the source, not to be checked


def write(source: Path, target: Path, shown: str, *, docstrings: bool) -> None:
    """Compile a module; `shown` is the name of its file in tracebacks."""
    text = source.read_bytes()
    parsed = ast.parse(text, shown)
    if not docstrings:
        for node in ast.walk(parsed):
            _forget_docstring(node)
    code = compile(parsed, shown, "exec", dont_inherit=True, optimize=0)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_suffix(".pyc").write_bytes(
        importlib.util.MAGIC_NUMBER
        + _FLAGS.to_bytes(4, "little")
        + importlib.util.source_hash(text)
        + marshal.dumps(code)
    )


def _forget_docstring(node: ast.AST) -> None:
    if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    if ast.get_docstring(node, clean=False) is None:
        return
    first = node.body[0]
    node.body = node.body[1:] or [ast.copy_location(ast.Pass(), first)]
