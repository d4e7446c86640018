"""Configurations for tests: an open gateway, and whatever a test wants to be different."""

from __future__ import annotations

from typing import Any

from gateway_config.model import GatewayConfig
from gateway_config.opened import OPEN


def open_configuration(**sections: Any) -> GatewayConfig:
    """A gateway that lets every caller of this machine call everything. ``sections`` replace or
    add top-level tables: ``open_configuration(limits={"depth": 10}, policies=[])``."""
    registry = {"url": "http://registry.example:8081"}
    return GatewayConfig.model_validate({**OPEN, "registry": registry, **sections})
