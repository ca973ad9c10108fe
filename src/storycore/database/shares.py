"""Tells files on network shares from those on disks of this machine."""

import os
import sys
from pathlib import Path

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ncpfs", "glusterfs", "ceph", "lustre", "beegfs", "9p"}
    | {f"fuse.{kind}" for kind in ("sshfs", "glusterfs", "s3fs", "rclone", "gcsfuse")}
)
_REMOTE_DRIVE = 4  # DRIVE_REMOTE of the Windows API


def is_network_share(path: Path) -> bool:
    """Whether a file at `path`, there already or not, lies on another machine, as far as the system tells."""
    if sys.platform == "win32":
        return _is_remote_drive(path)
    there = next((place for place in (path, *path.parents) if place.exists()), Path("/"))
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():  # not Linux; nothing else tells it without a library
        return False
    return kind_of_mount(there.resolve(), mounts.read_text(errors="replace")) in _NETWORK


def kind_of_mount(path: Path, mounts: str) -> str:
    """Kind of file system that `path` lies on, by a table like /proc/self/mounts; of two on one place the later."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        place = Path(fields[1].replace("\\040", " ").replace("\\134", "\\"))
        if path.is_relative_to(place) and len(place.parts) >= best:
            best, kind = len(place.parts), fields[2]
    return kind


def _is_remote_drive(path: Path) -> bool:
    absolute = os.path.abspath(path)  # noqa: PTH100 - must not touch a share that may be slow or gone
    if absolute.startswith("\\\\"):
        return True
    import ctypes

    drive = os.path.splitdrive(absolute)[0] + "\\"
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - other systems have no such name, nor do their types
    return bool(kernel.GetDriveTypeW(drive) == _REMOTE_DRIVE)
