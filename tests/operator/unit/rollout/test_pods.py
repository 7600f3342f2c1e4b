"""What is read from pods."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.store.migrations import MAY_PASS
from orders_operator.api.conditions import Reason
from orders_operator.rollout.pods import Failure, failure, of_revision, pinned, tag, tail
from tests.helpers.operator.observations import pod


def test_only_living_pods_of_the_revision_count() -> None:
    """Not those of another revision or track, on their way out, or that were evicted."""

    def labelled(revision: str, track: str = "stable", **more: Any) -> dict[str, Any]:
        labels = {"orders.dev/revision": revision, "orders.dev/track": track}
        return {"metadata": {"labels": labels, **more}}

    new, old, canary = labelled("new"), labelled("old"), labelled("new", "canary")
    leaving = labelled("new", deletionTimestamp="2026-01-02T03:04:05Z")
    evicted = {**labelled("new"), "status": {"phase": "Failed"}}
    found = [new, old, canary, leaving, evicted]
    assert [new] == of_revision(found, "stable", "new")
    assert [canary] == of_revision(found, "canary", "new")
    assert [] == of_revision([*found, {"metadata": {}}], "stable", None)


@pytest.mark.parametrize(
    ("image", "image_id", "expected"),
    [
        ("a:1", "docker.io/library/a@sha256:f", "a:1@sha256:f"),
        ("r:5000/a:1@sha256:e", "r:5000/a@sha256:e", "r:5000/a:1@sha256:e"),
        ("a:1", "sha256:f", "a:1@sha256:f"),
        ("a:1", "docker://sha256:f", "a:1@sha256:f"),
        ("a:1", "strange", "a:1"),
    ],
)
def test_the_digest_of_what_runs(image: str, image_id: str, expected: str) -> None:
    """Every way in which a runtime writes it."""
    assert expected == pinned(image, image_id)


@pytest.mark.parametrize(
    ("image", "expected"),
    [("a:1", "1"), ("r:5000/a", ""), ("r:5000/a:1@sha256:f", "1"), ("a@sha256:f", "")],
)
def test_the_tag_of_an_image(image: str, expected: str) -> None:
    """A registry's port is no tag."""
    assert expected == tag(image)


@given(st.text(max_size=3000), st.integers(10, 100))
def test_the_tail_fits(text: str, limit: int) -> None:
    """What is kept is an end of the text, and no longer than allowed."""
    kept = tail(text, limit)

    assert len(kept.encode()) <= limit
    assert kept in text


@pytest.mark.parametrize(
    ("reason", "passes"),
    [
        ("ErrImagePull", True),
        ("ImagePullBackOff", True),
        ("RegistryUnavailable", True),
        ("ErrImageNeverPull", True),
        ("InvalidImageName", False),
    ],
)
def test_a_pull_that_fails_may_pass(reason: str, *, passes: bool) -> None:
    """A registry comes back, and an image is pushed; only a name that is none stays one."""
    waiting = {"waiting": {"reason": reason, "message": "no such"}}
    found = failure([pod(waiting, ready=False)])
    assert found == Failure(Reason.IMAGE_PULL_FAILED, f"{reason}: no such", may_pass=passes)


def test_a_migration_that_may_succeed_later_is_told_apart() -> None:
    """By the exit code that `orders migrate` has for it, the same in both packages."""
    found = [
        failure([pod(migrate={"terminated": {"exitCode": code, "message": "why"}}, ready=False)])
        for code in (MAY_PASS, 1)
    ]
    assert [True, False] == [it is not None and it.may_pass for it in found]


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ('secret "shop-db" not found', True),
        ("couldn't find key url in Secret shop/shop-db", True),
        ('configmap "limits" not found', True),
        ("container has runAsNonRoot and image will run as root", False),
    ],
)
def test_a_secret_that_is_made_again_is_no_fault_of_the_revision(
    message: str, *, passes: bool
) -> None:
    """Its pods start once it is back; one that can never start is given up."""
    waiting = {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
    found = [failure([pod(**{name: waiting}, ready=False)]) for name in ("orders", "migrate")]
    assert [passes, passes] == [it is not None and it.may_pass for it in found]
