"""Processors that a container's control groups allow, read from files as Linux shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.engines.native.quota import processor_quota

V2 = "30 23 0:26 {shown} /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    "31 23 0:27 {shown} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "32 23 0:28 {shown} /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
)


def machine(root: Path, cgroup: str, mounts: str, files: dict[str, str]) -> Path:
    """A root folder with /proc/self and the files of control groups."""
    for name, text in {"proc/self/cgroup": cgroup, "proc/self/mountinfo": mounts, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("quota", "processors"),
    [("max 100000", None), ("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1), ("800000 100000", 8)],
)
def test_version_2(tmp_path: Path, quota: str, processors: int | None) -> None:
    files = {"sys/fs/cgroup/cpu.max": quota + "\n"}
    assert processor_quota(machine(tmp_path, "0::/\n", V2.format(shown="/"), files)) == processors


def test_the_groups_above_bind_too(tmp_path: Path) -> None:
    files = {
        "sys/fs/cgroup/a/cpu.max": "300000 100000\n",
        "sys/fs/cgroup/a/b/cpu.max": "max 100000\n",
        "sys/fs/cgroup/a/b/c/cpu.max": "400000 100000\n",
        "sys/fs/cgroup/other/cpu.max": "100000 100000\n",
    }
    assert processor_quota(machine(tmp_path, "0::/a/b/c\n", V2.format(shown="/"), files)) == 3


@pytest.mark.parametrize("own", ["/docker/1234", "/elsewhere/1234"])
def test_a_container_that_sees_its_group_as_the_topmost_one(tmp_path: Path, own: str) -> None:
    files = {"sys/fs/cgroup/cpu.max": "250000 100000\n"}
    assert processor_quota(machine(tmp_path, f"0::{own}\n", V2.format(shown="/docker/1234"), files)) == 3


@pytest.mark.parametrize(("quota", "processors"), [("-1", None), ("50000", 1), ("110000", 2)])
def test_version_1(tmp_path: Path, quota: str, processors: int | None) -> None:
    folder = "sys/fs/cgroup/cpu,cpuacct/batch"
    files = {f"{folder}/cpu.cfs_quota_us": quota + "\n", f"{folder}/cpu.cfs_period_us": "100000\n"}
    groups = "5:memory:/batch\n4:cpu,cpuacct:/batch\n0::/\n"
    assert processor_quota(machine(tmp_path, groups, V1.format(shown="/"), files)) == processors


def test_both_versions_at_once(tmp_path: Path) -> None:
    """Version 2 may be mounted beside, without controllers."""
    files = {
        "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us": "200000\n",
        "sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us": "100000\n",
    }
    mounts = V1.format(shown="/") + V2.format(shown="/").replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified")
    assert processor_quota(machine(tmp_path, "4:cpu,cpuacct:/x\n0::/y\n", mounts, files)) == 2


def test_paths_with_spaces_and_colons(tmp_path: Path) -> None:
    files = {"mnt/c g/a:b/cpu.max": "500000 100000\n"}
    mounts = V2.format(shown="/").replace("/sys/fs/cgroup", "/mnt/c\\040g")
    assert processor_quota(machine(tmp_path, "0::/a:b\n", mounts, files)) == 5


@pytest.mark.parametrize("cgroup", ["", "nonsense\n", "0::/\n"])
@pytest.mark.parametrize("mounts", ["", "nonsense\n", V2.format(shown="/")])
@pytest.mark.parametrize("quota", ["", "1 2 3", "many 100000", "100000 0"])
def test_files_that_are_otherwise_limit_nothing(tmp_path: Path, cgroup: str, mounts: str, quota: str) -> None:
    assert processor_quota(machine(tmp_path, cgroup, mounts, {"sys/fs/cgroup/cpu.max": quota})) is None


def test_another_system(tmp_path: Path) -> None:
    assert processor_quota(tmp_path) is None
