"""Who may call: what pods of both tracks read of it, and what the API server says of its keys."""

from base64 import urlsafe_b64decode
from typing import Any

import pytest
from msgspec import json

from orders_operator.client.errors import KubeError
from orders_operator.objects import Object
from orders_operator.resources.auth import CLUSTER_KEYS, ISSUERS
from tests.helpers.apiserver.fake_kubelet import Fate, named
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.refusals import answering
from tests.helpers.apiserver.running_leader import becomes, is_rolled_out, working

AUTH = f"{NAME}-auth"
JWT: Object = {"issuer": "https://login.example.com:8443", "audience": "orders"}
READS = {"scopes": ["orders:read"]}
CALLER: Object = {"namespace": "shop", "name": "checkout", **READS}
KEYS = {"apiKeysSecretRef": {"name": "callers"}}
CANARY = {"strategy": "Canary"}


async def api_keys(world: World, *lines: str) -> None:
    """Have these lines in the Secret with the hashes of API keys."""
    await world.secret("callers", "", keys="\n".join(lines))


async def issuers(world: World) -> list[Object]:
    """Return the issuers that pods trust."""
    found = await world.get("v1", "configmaps", AUTH)
    trusted: list[Object] = json.decode(found["data"][ISSUERS])
    return trusted


async def keys(world: World) -> list[Object]:
    """Return the cluster's keys as pods have them."""
    found = await world.get("v1", "configmaps", AUTH)
    return list(json.decode(found["data"][CLUSTER_KEYS])["keys"])


async def generations(world: World, *suffixes: str) -> list[int]:
    """Return the generations of Deployments, which a roll changes."""
    return [(await world.deployment(it))["metadata"]["generation"] for it in suffixes]


async def mounted(world: World) -> set[str]:
    """Return the names of what the service's pods mount, of both tracks."""
    return {name for pod in await world.pods() for _, name in named(pod["spec"])}


def part(token: str, number: int) -> Object:
    """Return the header, or the claims, of a token."""
    text = token.split(".")[number]
    found: Object = json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


async def test_a_revocation_reaches_both_tracks_and_rolls_nothing(world: World) -> None:
    """Both mount the very Secret and ConfigMap, of which there is no copy and no hash."""
    await api_keys(world, "a", "b")
    jwt = [{**JWT, "subjects": [{"subject": "batch", **READS}]}, {**JWT, "issuer": "https://b.c"}]
    await world.canary(auth={"jwt": jwt, **KEYS})
    assert [IMAGE, NEXT] == await world.images()
    assert {"callers", AUTH} <= await mounted(world)
    before, rollout = await generations(world, "", "-canary"), await world.rollout()
    config = await world.get("v1", "configmaps", AUTH)

    await api_keys(world, "b")
    await world.change(auth={"jwt": [JWT]})
    await world.settle()
    assert before == await generations(world, "", "-canary")
    after = await world.get("v1", "configmaps", AUTH)
    assert config["metadata"]["uid"] == after["metadata"]["uid"]
    assert [{"issuer": JWT["issuer"], "audience": "orders"}] == await issuers(world)
    step = {name: rollout[name] for name in ("phase", "step", "revision", "stable")}
    assert step.items() <= (await world.rollout()).items()


async def test_the_last_issuer_is_taken_from_pods_that_still_mount_it(world: World) -> None:
    """A canary that takes no tokens any more: the stable pods refuse all, and can go on."""
    await api_keys(world, "a")
    await world.declare(rollout=CANARY, auth={"jwt": [JWT], **KEYS})
    await world.settle()
    await world.change(auth={"jwt": None})
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]
    assert [] == await issuers(world)
    await world.tell(promote=(await world.rollout())["revision"])
    await world.settle()
    assert await world.find("v1", "configmaps", AUTH) is None


async def test_pods_that_are_guarded_stay_so_until_the_last_is_gone(world: World) -> None:
    """A spec without auth takes nothing from the stable pods, and an abort keeps them as is."""
    await world.declare(rollout=CANARY, auth={"jwt": [JWT]})
    await world.settle()
    before = await world.get("v1", "configmaps", AUTH)
    await world.change(auth=None)
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]
    assert before["data"] == (await world.get("v1", "configmaps", AUTH))["data"]
    await world.tell(abort=(await world.rollout())["revision"])
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    assert before["data"] == (await world.get("v1", "configmaps", AUTH))["data"]
    assert AUTH in await mounted(world)


async def test_a_service_account_calls_with_what_its_pod_is_given(world: World) -> None:
    """A token that the API server makes is of the issuer, the key and the subject in the files."""
    caller = {"namespace": world.namespace, "name": "default", **READS}
    await world.declare(auth={"serviceAccounts": [caller]})
    await world.settle()
    where = world.url("v1", "serviceaccounts", "default") + "/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    made = await world.kube.request(
        "POST", where, body={**asked, "spec": {"audiences": ["orders"]}}
    )
    token = made["status"]["token"]
    claims, [trusted] = part(token, 1), await issuers(world)
    assert (trusted["issuer"], [trusted["audience"]]) == (claims["iss"], claims["aud"])
    assert ["orders:read"] == trusted["subjects"][claims["sub"]]
    assert part(token, 0)["kid"] in {key["kid"] for key in await keys(world)}


async def test_rotated_keys_are_followed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leader looks again, and pods have the new ones without a roll."""
    monkeypatch.setattr("orders_operator.scopes.GRACE_SECONDS", 0.0)
    monkeypatch.setattr("orders_operator.leader.CHECK_SECONDS", 0.1)
    await world.declare(auth={"serviceAccounts": [CALLER]})
    async with working(world.namespace) as it:
        await becomes(world, is_rolled_out(world))
        before, generation = await keys(world), await generations(world, "")
        ask = it.kube.request
        other = [{**key, "kid": "another"} for key in before]

        async def rotated(method: str, url: str, *how: Any, **more: Any) -> Any:
            answer = await ask(method, url, *how, **more)
            return {"keys": other} if url.endswith("/jwks") else answer

        monkeypatch.setattr(it.kube, "request", rotated)

        async def followed() -> bool:
            return await keys(world) == other

        await becomes(world, followed)
        assert generation == await generations(world, "")


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_without_the_cluster_s_keys_nothing_begins(world: World, status: int) -> None:
    """What is running goes on as it is, and the API server's words say why."""
    await world.declare()
    await world.settle()
    with answering(world, status, "/openid-configuration"):
        await world.change(image=NEXT, auth={"serviceAccounts": [CALLER]})
        await world.settle()
        found = await world.said("Degraded")
        assert ("True", "ApplyFailed") == (found["status"], found["reason"])
        assert "/.well-known/openid-configuration" in found["message"]
        assert [IMAGE] == await world.images()
        assert await world.find("v1", "configmaps", AUTH) is None
    await world.settle()
    assert [NEXT] == await world.images()
    assert 1 == len(await issuers(world))


async def test_a_caller_is_taken_out_though_keys_cannot_be_read(world: World) -> None:
    """A new leader that may not read them has those that pods have."""
    other = {**CALLER, "name": "other"}
    await world.declare(auth={"serviceAccounts": [CALLER, other]})
    await world.settle()
    before = await keys(world)
    world.restart()
    with answering(world, 403, "/openid-configuration"):
        await world.change(auth={"serviceAccounts": [CALLER]})
        await world.settle()
        [trusted] = await issuers(world)
        assert ["system:serviceaccount:shop:checkout"] == [*trusted["subjects"]]
        assert before == await keys(world)


async def test_the_api_server_s_issuer_is_named_once(world: World) -> None:
    """Beside serviceAccounts an issuer of that name is told of, and nothing begins."""
    jwt = {**JWT, "issuer": "https://kubernetes.default.svc"}
    await world.declare(auth={"jwt": [jwt], "serviceAccounts": [CALLER]})
    await world.settle()
    assert "the API server's own issuer" in (await world.said("Degraded"))["message"]
    assert await world.find("apps/v1", "deployments", NAME) is None


async def test_without_the_secret_of_api_keys_nothing_begins(world: World) -> None:
    """It is named; once it is there the rest follows, and a lost one is told of."""
    await world.declare(auth=KEYS)
    await world.settle()
    found = await world.said("Degraded")
    assert ("SecretMissing", "Secret callers does not exist") == (
        found["reason"],
        found["message"],
    )
    await api_keys(world, "a")
    await world.settle()
    assert [IMAGE] == await world.images()
    await world.delete("v1", "secrets", "callers")
    await world.settle()
    assert "SecretMissing" == (await world.said("Degraded"))["reason"]
    assert [IMAGE] == await world.images()


async def test_a_failed_revision_is_tried_again_with_keys_that_may_be_the_cure(
    world: World,
) -> None:
    """A file that is wrong ends a new pod; once it is set right, nobody has to say so."""
    await api_keys(world, "?")
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT, auth=KEYS)
    await world.settle()
    assert "RolledBack" == (await world.rollout())["phase"]
    del world.kubelet.fates[NEXT]
    await api_keys(world, "a")
    await world.settle()
    assert [NEXT] == await world.images()


async def test_pods_are_let_out_to_issuers(world: World) -> None:
    """To the ports of those that are asked for keys, as long as they are trusted."""
    await world.declare(auth={"jwt": [JWT], "serviceAccounts": [CALLER]})
    await world.settle()
    assert {53, 5432, 8443} == await world.ports()
    await world.change(auth={"jwt": [{**JWT, "issuer": "https://login.example.com"}]})
    await world.settle()
    assert {53, 5432, 443} == await world.ports()
    await world.change(auth={"jwt": None})
    await world.settle()
    assert {53, 5432} == await world.ports()


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        ({}, "auth needs jwt, apiKeysSecretRef or serviceAccounts"),
        ({"jwt": []}, "auth needs jwt, apiKeysSecretRef or serviceAccounts"),
        ({"jwt": [{"issuer": "https://a.b"}]}, "audience"),
        ({"jwt": [JWT, {**JWT, "audience": "b"}]}, "Duplicate value"),
        ({"jwt": [{"issuer": "a", "audience": "b"}]}, "set jwksURL to the URL of its keys"),
        (
            {"jwt": [{"issuer": "http://login.example.com", "audience": "b"}]},
            "set jwksURL to the URL of its keys",
        ),
        (
            {"jwt": [{"issuer": "https://a.b?c", "audience": "b"}]},
            "set jwksURL to the URL of its keys",
        ),
        ({"jwt": [{**JWT, "jwksURL": "http://login.example.com/keys"}]}, "should match"),
        ({"jwt": [{**JWT, "subjects": [{"subject": "a", "scopes": []}]}]}, "at least 1 items"),
        ({"jwt": [{**JWT, "subjects": [{"subject": "a b", **READS}]}]}, "should match"),
        ({"serviceAccounts": [{**CALLER, "scopes": ["orders:all"]}]}, "Unsupported value"),
        ({"serviceAccounts": [CALLER, CALLER]}, "Duplicate value"),
        ({"serviceAccounts": [{"name": "a", **READS}]}, "namespace"),
        ({"apiKeysSecretRef": {}}, "name"),
        ({"jwt": [{"issuer": "a", "audience": "b", "jwksURL": "http://dex.a.svc:5556/k"}]}, None),
        ({"jwt": [{"issuer": "http://dex.a.svc", "audience": "b"}]}, None),
        ({"jwt": [JWT, {**JWT, "issuer": "https://a.b/c"}], "serviceAccounts": [CALLER]}, None),
    ],
)
async def test_what_does_not_fit_is_refused(world: World, auth: Object, said: str | None) -> None:
    """Before any pod would refuse it, and nothing that looks like auth leaves a service open."""
    if said is None:
        await world.declare(auth=auth)
        return
    with pytest.raises(KubeError, match=said):
        await world.declare(auth=auth)
