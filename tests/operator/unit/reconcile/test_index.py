"""Who names which Secrets and ConfigMaps."""

from orders_operator.reconcile.index import Index
from orders_operator.resources.references import CONFIG_MAPS, SECRETS, Reference


def test_the_index_finds_who_names_what() -> None:
    """By namespace, and as of the last spec."""
    index = Index()
    secret, other = Reference(SECRETS, "s"), Reference(CONFIG_MAPS, "s")
    index.set(("a", "x"), [secret, other])
    index.set(("a", "y"), [secret])
    assert {("a", "x"), ("a", "y")} == index.namers("a", secret)
    assert frozenset() == index.namers("b", secret)

    index.set(("a", "x"), [other])
    index.drop(("a", "y"))
    assert frozenset() == index.namers("a", secret)
    assert {("a", "x")} == index.namers("a", other)

    index.drop(("a", "x"))
    assert not index._named
    assert not index._namers
