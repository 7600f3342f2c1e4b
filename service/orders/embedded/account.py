"""The account that PostgreSQL runs as, because it refuses to run as root.

If this process is root, PostgreSQL runs as the owner of the data, or as `nobody`, who may then
pass through the folders above the data and the programs, but not list them.
"""

import logging
import os
import pwd
import stat
from pathlib import Path
from typing import Any

from msgspec import Struct

from orders.embedded.programs import EmbeddedError

log = logging.getLogger("orders.embedded")


class Account(Struct, frozen=True):
    """A user of this machine; None is the one of this process."""

    user: pwd.struct_passwd | None = None

    @classmethod
    def for_data(cls, data: Path, programs: Path) -> "Account":
        """Return who may have the data and run the programs.

        Raises:
            EmbeddedError: the data are another user's.
        """
        owner = data.stat().st_uid if data.exists() else None
        me = os.geteuid()
        if me != 0:
            if owner not in {None, me}:
                raise EmbeddedError(f"{data} belongs to another user, number {owner}")
            return cls()
        _let_others_pass(data, programs)
        return cls(pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody"))

    def give(self, folder: Path) -> None:
        """Make the folder this user's."""
        if self.user is not None:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)

    def options(self) -> dict[str, Any]:
        """Return the options of every child: own session, this account, no PG* variables."""
        common = {"cwd": "/", "env": {"LC_ALL": "C"}, "start_new_session": True}
        if self.user is None:
            return common
        who = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        return common | who


def _let_others_pass(data: Path, programs: Path) -> None:
    for folder in {*data.parents, *programs.parents}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            log.info("other users may now pass through %s, because PostgreSQL has to", folder)
            folder.chmod(mode | stat.S_IXOTH)
    if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:
        for path in (programs.parent, *programs.parent.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
