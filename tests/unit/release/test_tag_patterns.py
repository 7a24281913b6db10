"""The tags that oVirt's components really have can be written as patterns, and asked for by their exact names."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ovirt_release.checks.git_command import full_ref
from pytest_ovirt_release.release.loading import load_page
from pytest_ovirt_release.release.resolved import expected_tag

PAGES = Path(__file__).parents[3] / "acceptance" / "releases"
PAGE = load_page(PAGES / "ovirt-4.5.toml")


@pytest.mark.parametrize(
    ("name", "pattern", "version", "tag"),
    [
        ("ovirt-engine", "{name}-{version}", "4.5.7", "ovirt-engine-4.5.7"),
        ("vdsm", "v{version}", "4.50.5.1", "v4.50.5.1"),
        ("ovirt-engine-sdk", "{version}", "4.6.3", "4.6.3"),
        ("ovirt-host", "{name}-{version}", "4.5.0-3", "ovirt-host-4.5.0-3"),
        ("ovirt-node-ng-image", "{name}-{version}", "4.5.5", "ovirt-node-ng-image-4.5.5"),
        ("ovirt-release", "{name}-host-node-{version}", "4.5.5-1", "ovirt-release-host-node-4.5.5-1"),
        ("ovirt-imageio", "v{version}", "2.5.1", "v2.5.1"),
        ("ovirt-hosted-engine-setup", "hosted-engine-setup-{version}", "2.7.1", "hosted-engine-setup-2.7.1"),
        ("otopi", "{name}-{version}", "1.10.4", "otopi-1.10.4"),
        ("ovirt-ansible-collection", "{version}", "3.2.0-1", "3.2.0-1"),
        ("vdsm-jsonrpc-java", "v{version}", "1.7.3", "v1.7.3"),
        ("imgbased", "{name}-{version}", "1.2.25", "imgbased-1.2.25"),
    ],
)
def test_real_tags(name: str, pattern: str, version: str, tag: str) -> None:
    component = PAGE.components[0].model_copy(update={"name": name, "tag": pattern})
    assert expected_tag(PAGE, component, version) == tag
    assert full_ref("refs/tags/", tag) == f"refs/tags/{tag}"
