"""The signatures of a dry run, in a registry on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.pushed import push_image
from tools.go_programs import MISSING, REGISTRY, ToolFailed, available
from tools.release.dry_run import local_registry, signed
from tools.release.signing import Key

pytestmark = [
    pytest.mark.timeout(1800),  # the first run builds cosign
    pytest.mark.skipif(not available(), reason=MISSING),
]


@pytest.fixture
def image() -> Iterator[str]:
    """Have a place for an image in a registry."""
    with local_registry() as host:
        yield f"{host}/shop/service"


def test_what_is_signed_can_be_verified(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server is asked but the registry: neither for an identity nor for a public log."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # where nobody listens
    pushed = push_image(tmp_path, f"{image}:1.0.0")
    assert pushed == signed(f"{image}:1.0.0", Key(tmp_path / "key"))
    tags = REGISTRY.run("crane", "ls", image).split()
    assert ["1.0.0", f"{pushed.replace(':', '-')}.sig"] == sorted(tags)


def test_what_is_not_signed_is_refused(image: str, tmp_path: Path) -> None:
    """Neither the image of another digest nor a signature by another key is accepted."""
    key = Key(tmp_path / "key")
    push_image(tmp_path, f"{image}:1.0.0")
    signed(f"{image}:1.0.0", key)
    push_image(tmp_path, f"{image}:1.0.1")
    with pytest.raises(ToolFailed, match="no signatures found"):
        key.verify(f"{image}:1.0.1")
    with pytest.raises(ToolFailed, match="no matching signatures"):
        Key(tmp_path / "other").verify(f"{image}:1.0.0")


def test_every_image_of_an_index_is_signed(image: str, tmp_path: Path) -> None:
    """So is each architecture's, for whoever pulls it by its own digest."""
    parts = [push_image(tmp_path, f"{image}:{name}") for name in ("amd64", "arm64")]
    manifests = (word for name in ("amd64", "arm64") for word in ("-m", f"{image}:{name}"))
    REGISTRY.run("crane", "index", "append", *manifests, "-t", f"{image}:1.0.0")
    key = Key(tmp_path / "key")
    signed(f"{image}:1.0.0", key)
    for digest in parts:
        key.verify(f"{image}@{digest}")


def test_the_password_is_nowhere(
    image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither an argument, nor a file, nor the output has it."""
    word = "a password that nobody writes down"
    monkeypatch.setattr("secrets.token_urlsafe", lambda: word)
    push_image(tmp_path, f"{image}:1.0.0")
    key = Key(tmp_path / "key")
    signed(f"{image}:1.0.0", key)
    with pytest.raises(ToolFailed) as failed:
        key.verify(f"{image}:none")
    assert word not in "".join(capfd.readouterr()) + str(failed.value)
    assert [] == [it for it in (tmp_path / "key").iterdir() if word.encode() in it.read_bytes()]
