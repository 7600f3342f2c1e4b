"""What people, clusters and operators do, one after the other, in any order."""

from typing import Any, Final

from hypothesis import strategies as st

from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.invariants import PORTS, Invariants
from tests.helpers.apiserver.operator_namespace import World

Action = tuple[str, Any]

GOOD: Final = ("orders/service:1", "orders/service:2", "orders/service:3")
FATES: Final = {
    "orders/service:crashes": Fate.CRASHING,
    "orders/service:fails": Fate.UNMIGRATED,
    "orders/service:absent": Fate.UNPULLED,
    "orders/service:misnamed": Fate.MISNAMED,
    "orders/service:slow": Fate.STARTING,
    "orders/service:waits": Fate.DATABASE_AWAY,
}
LAST: Final = "orders/service:last"
_SECRETS: Final = ("one", "two")
_AUTH: Final[dict[str | None, Any]] = {
    None: None,
    "keys": {"apiKeysSecretRef": {"name": "callers"}, "jwt": None, "serviceAccounts": None},
    "jwt": {
        "jwt": [{"issuer": "https://login.example.com", "audience": "orders"}],
        "serviceAccounts": None,
        "apiKeysSecretRef": None,
    },
    "accounts": {
        "serviceAccounts": [{"namespace": "a", "name": "b", "scopes": ["orders:read"]}],
        "jwt": None,
        "apiKeysSecretRef": {"name": "callers"},
    },
}
_COMMANDS: Final = ("promote", "abort", "pause", "retry", "restart", "none")
_LATE: Final = 700
_PASSES: Final = 4
"""What is seen, what is said of it, what goes after that, and nothing."""


def _actions(**arguments: Any) -> st.SearchStrategy[Action]:
    """Return what draws one of several actions, each as often as another."""
    return st.one_of(
        *(st.tuples(st.just(name), st.sampled_from(found)) for name, found in arguments.items())
    )


SPEC: Final = _actions(
    image=[*GOOD, *FATES],
    strategy=["RollingUpdate", "Canary"],
    rollback=["Automatic", "Manual"],
    env=[None, "settings", "others"],
    auth=[None, "keys", "jwt", "accounts"],
    tls=[True, False],
    closed=[True, False],
    replicas=[0, 1, 3],
    paused=[True, False],
)
"""What a person declares, the database aside."""
DATABASE: Final = _actions(database=["embedded", "one", "two", "three"])
"""Where a person wants the orders; there is no Secret `three`."""
EVENTS: Final = _actions(
    tell=_COMMANDS,
    rotate=_SECRETS,
    lose=_SECRETS,
    config=["settings", "others"],
    fate=["crash", "recover"],
    linger=[True, False],
    operator=["restart", "takeover"],
    wait=[30, _LATE],
)
"""What else happens."""


class Story:
    """One sequence in one world, with the invariants after each pass."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._invariants = Invariants(world)
        self._other = world.restart()
        self._written = 0

    async def tell(self, actions: list[Action], *, database: str) -> None:
        """Do it all, then have everything be well, and see that it becomes so."""
        world = self._world
        for name in ("settings", "others"):
            await world.config(name, mode="0")
        for name in _SECRETS:
            await self.do_rotate(name)
        await world.secret("callers", "", keys="a")
        await world.secret("certificate", "", **{"tls.crt": "a", "tls.key": "b"})
        world.kubelet.fates |= FATES
        await world.declare(database=_database(database), replicas=2)
        done: list[Action] = []
        try:
            await self._turn(4)
            for name, argument in actions:
                done.append((name, argument))
                await getattr(self, f"do_{name}")(argument)
                await self._turn(2)
            await self._end()
        except AssertionError as error:
            error.add_note(f"with the database {database}, after {done}")
            raise

    async def _turn(self, times: int) -> None:
        """Have the operator and all others take turns; then the operator comes to rest."""
        for _ in range(times):
            await self._pass()
            await self._world.sync()
        await self._rest()

    async def _rest(self) -> None:
        """Have the operator alone go on: what it writes wakes it, and soon it writes no more."""
        kube = self._world.operator.kube
        written: list[str] = []
        for number in range(_PASSES):
            kube.written()
            resource = await self._world.resource()
            await self._world.reconcile()
            written = kube.written()
            if written or not number:  # else all is as it was when it was checked last
                await self._invariants.check(resource)
            if not written:
                return
        raise AssertionError(f"it writes without end: {written}")

    async def _pass(self) -> None:
        resource = await self._world.resource()
        await self._world.reconcile()
        await self._invariants.check(resource)

    async def _end(self) -> None:
        """Heal the world; whatever was done, the service comes to serve what is declared."""
        world = self._world
        world.kubelet.fates.clear()
        world.kubelet.lingering = False
        for name in _SECRETS:
            await self.do_rotate(name)
        await world.tell(**dict.fromkeys(_COMMANDS))
        rollout = {"strategy": "RollingUpdate", "rollback": "Automatic"}
        await world.change(
            image=LAST, paused=False, replicas=1, database=_database("one"), rollout=rollout
        )
        await world.settle()
        await self._turn(1)
        assert [LAST] == await world.images()
        assert ("True", "Available") == await world.condition("Ready")

    async def do_image(self, image: str) -> None:
        """Declare another image."""
        await self._world.change(image=image)

    async def do_strategy(self, strategy: str) -> None:
        """Declare another strategy."""
        await self._world.change(rollout={"strategy": strategy})

    async def do_rollback(self, rollback: str) -> None:
        """Declare what a failure does."""
        await self._world.change(rollout={"rollback": rollback})

    async def do_env(self, name: str | None) -> None:
        """Declare a variable from a ConfigMap, or none."""
        source = {"configMapKeyRef": {"name": name, "key": "mode"}}
        found = [{"name": "MODE", "valueFrom": source}] if name else []
        await self._world.change(podTemplate={"env": found})

    async def do_auth(self, kind: str | None) -> None:
        """Declare who may call, or nothing of it."""
        await self._world.change(auth=_AUTH[kind])

    async def do_tls(self, on: bool) -> None:  # noqa: FBT001  an argument as any other
        """Declare that the API speaks TLS, or that it does not."""
        await self._world.change(tls={"secretRef": {"name": "certificate"}} if on else None)

    async def do_closed(self, on: bool) -> None:  # noqa: FBT001  an argument as any other
        """Declare that metrics ask for a key, or that they do not."""
        await self._world.change(monitoring={"auth": on})

    async def do_replicas(self, number: int) -> None:
        """Declare how many pods there are."""
        await self._world.change(replicas=number)

    async def do_paused(self, paused: bool) -> None:  # noqa: FBT001  an argument as any other
        """Declare whether the operator leaves it alone."""
        await self._world.change(paused=paused)

    async def do_database(self, which: str) -> None:
        """Declare another database."""
        await self._world.change(database=_database(which))

    async def do_tell(self, command: str) -> None:
        """Set the annotation of a command for the present revision, and no other."""
        rollout = await self._world.rollout()
        failed = rollout.get("failed") or {}
        said = {
            "retry": f"{failed.get('revision')}@{failed.get('at')}",
            "restart": f"2026-01-01T00:00:{self._written:02}Z",
        }
        found: dict[str, str | None] = dict.fromkeys(set(_COMMANDS) - {"none", "restart"})
        if command != "none":
            found[command] = said.get(command, rollout.get("revision"))
        await self._world.tell(**found)

    async def do_rotate(self, name: str) -> None:
        """Give a Secret another password, or make it again."""
        self._written += 1
        url = f"postgresql://orders:{self._written}@{name}:{PORTS[name]}/orders"
        await self._world.secret(name, url)

    async def do_lose(self, name: str) -> None:
        """Delete a Secret."""
        if await self._world.find("v1", "secrets", name) is not None:
            await self._world.delete("v1", "secrets", name)

    async def do_config(self, name: str) -> None:
        """Give a ConfigMap another content."""
        self._written += 1
        await self._world.config(name, mode=str(self._written))

    async def do_fate(self, what: str) -> None:
        """Have pods of the declared image crash, or have all be well."""
        fates = self._world.kubelet.fates
        if what == "recover":
            fates.clear()
        else:
            fates[(await self._world.resource())["spec"]["image"]] = Fate.CRASHING

    async def do_linger(self, lingering: bool) -> None:  # noqa: FBT001  an argument as any other
        """Have pods that are deleted stay for a while, or no longer."""
        self._world.kubelet.lingering = lingering

    async def do_operator(self, how: str) -> None:
        """Have a process begin anew, or another one take over that was the leader before."""
        if how == "restart":
            self._world.restart()
        else:
            self._world.operator, self._other = self._other, self._world.operator

    async def do_wait(self, seconds: int) -> None:
        """Have time go by, and rollouts be late by it."""
        self._world.clock.wait(seconds)
        if seconds == _LATE:
            found = await self._world.kube.list("apps/v1", "deployments", self._world.namespace)
            self._world.deployments.late |= {it["metadata"]["name"] for it in found}


def _database(which: str) -> dict[str, Any]:
    """Return `spec.database`, as a patch that takes the other away."""
    if which == "embedded":
        return {"embedded": {}, "secretRef": None}
    return {"embedded": None, "secretRef": {"name": which}}
