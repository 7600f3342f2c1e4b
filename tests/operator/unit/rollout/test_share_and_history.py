"""How many canary pods there are, and which revisions are kept."""

from hypothesis import given
from hypothesis import strategies as st

from orders_operator.objects import Object
from orders_operator.resources.revision import (
    Revision,
    controller_revision,
    restored,
    stored,
)
from orders_operator.rollout.history import history
from orders_operator.rollout.share import canary_pods, share
from tests.helpers.operator.specs import service

SHOP = service()


def kept(numbers: dict[int, int]) -> list[Object]:
    """Return ControllerRevisions: the content of each, and its number."""
    return [controller_revision(SHOP, made(it), number) for it, number in numbers.items()]


def made(content: int) -> Revision:
    """Return a revision."""
    template = {"metadata": {"labels": {}, "annotations": {}}, "spec": {"number": content}}
    return Revision(f"{content:010x}", template, {"image": f"shop:{content}"})


@given(stable=st.integers(1, 200), weight=st.integers(1, 100), exact=st.booleans())
def test_a_canary_has_a_pod_and_is_no_bigger_than_the_rest(
    stable: int, weight: int, *, exact: bool
) -> None:
    """Whatever its share; and a bigger share never takes fewer pods."""
    pods = canary_pods(stable, weight, exact=exact)
    assert 1 <= pods <= stable
    assert pods <= canary_pods(stable, min(100, weight + 1), exact=exact)


@given(st.integers(2, 200), st.integers(1, 50))
def test_the_share_is_the_nearest_that_pods_can_give(stable: int, weight: int) -> None:
    """One pod more or less would be no nearer to it."""
    pods = canary_pods(stable, weight, exact=False)

    def off(number: int) -> float:
        return abs(number / (stable + number) - weight / 100)

    others = [it for it in (pods - 1, pods + 1) if 1 <= it <= stable]
    assert all(off(pods) <= off(it) + 0.5 / stable for it in others)


def test_shares_that_are_known() -> None:
    """Of four stable pods."""
    found = [canary_pods(4, weight, exact=False) for weight in (10, 20, 25, 33, 50, 90, 100)]
    assert [1, 1, 1, 2, 4, 4, 4] == found
    assert [1, 1, 2, 4] == [canary_pods(4, it, exact=True) for it in (10, 25, 50, 100)]
    assert [0, 20, 50] == [share(4, pods) for pods in (0, 1, 4)]


@given(
    st.dictionaries(st.integers(0, 9), st.integers(1, 50), max_size=8),
    st.integers(0, 9),
    st.sets(st.integers(0, 9), max_size=3),
    st.integers(0, 5),
)
def test_what_is_used_is_kept(
    numbers: dict[int, int], wanted: int, used: set[int], length: int
) -> None:
    """And so many others; the wanted one has the highest number, and no two have the same."""
    hashes = {it: made(it).hash for it in range(10)}
    unique = {it: 2 * number + it % 2 for it, number in numbers.items()}
    found = history(kept(unique), hashes[wanted], {hashes[it] for it in used}, length)

    there = {hashes[it] for it in unique}
    assert {hashes[it] for it in used} & there <= found.keys()
    assert hashes[wanted] in found
    assert max(found.values()) == found[hashes[wanted]]
    spare = found.keys() - {hashes[it] for it in used} - {hashes[wanted]}
    assert len(spare) <= length


def test_keeping_is_stable() -> None:
    """The numbers that were given are found again, and the wanted one keeps its own."""
    first = history([], made(1).hash, (), 10)
    assert {made(1).hash: 1} == first
    assert first == history(kept({1: 1}), made(1).hash, (), 10)
    again = history(kept({1: 1, 2: 2}), made(1).hash, (), 10)
    assert {made(2).hash: 2, made(1).hash: 3} == again


def test_a_revision_is_read_as_it_was_kept() -> None:
    """Its hash and template; anything else in its place is none."""
    [obj] = kept({1: 1})
    assert made(1) == stored(obj)
    assert stored({**obj, "data": {}}) is None
    assert stored({**obj, "metadata": {"name": "x"}}) is None


def test_a_revision_is_read_from_its_pods() -> None:
    """Without the labels that only pods have; a Deployment of something else has none."""
    assert made(1).template["spec"] == made(1).on("stable", "content")["spec"]
    found = restored(made(1).on("stable", "content"))
    assert found is not None
    assert made(1).hash == found.hash
    assert {"labels": {}, "annotations": {}} == found.template["metadata"]
    assert restored({"metadata": {}, "spec": {}}) is None
