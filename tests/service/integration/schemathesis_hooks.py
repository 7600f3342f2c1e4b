"""What schemathesis cannot read in the OpenAPI document."""

from typing import Any

import schemathesis
from schemathesis import Case, HookContext


@schemathesis.hook
def filter_case(context: HookContext, case: Case[Any]) -> bool:  # noqa: ARG001  the signature is given
    """Leave out parameters that exclude each other, which OpenAPI cannot say."""
    given = set(case.query or ())
    return not {"after", "before"} <= given and ("ids" not in given or given <= {"ids", "limit"})
