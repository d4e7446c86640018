"""An open gateway: whoever asks from this machine may call everything. For demo and tests only."""

from __future__ import annotations

from typing import Any

#: sections that make a gateway on loopback open, as TOML would give them
OPEN: dict[str, Any] = {
    "callers": {
        "local": {
            "name": "本机 this machine",
            "networks": ["127.0.0.0/8", "::1/128"],
        }
    },
    "policies": [
        {
            "name": "open",
            "callers": ["*"],
            "hospitals": ["*"],
            "services": ["*"],
            "operations": ["*"],
        }
    ],
}
