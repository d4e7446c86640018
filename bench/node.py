"""The node that bench/host.py measures: getlabmaster with five rows, constant data behind it.

    python -m bench.node PORT [--app]

``--app``: without the calls' own path, so that Starlette answers them.
"""

from __future__ import annotations

import argparse

from bench.hospital import CODE, legacy_endpoint
from yilian.config import Hospital, Listen, NodeConfig
from yilian.host import app_of, call_paths
from yilian.node import Node
from yilian.serve import serve

ROWS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--app", action="store_true")
    options = parser.parse_args()
    endpoint = legacy_endpoint(ROWS)
    config = NodeConfig.model_construct(
        hospital=Hospital(code=CODE, name="华夏中心医院", name_en="Huaxia Central Hospital"),
        listen=Listen(port=options.port, public_url=f"http://127.0.0.1:{options.port}"),
        registry=None,
        alliance=None,
        sources={},
    )
    node = Node(config, {endpoint.path: endpoint}, {})
    calls = None if options.app else call_paths(node)
    serve(app_of(node), "127.0.0.1", options.port, what="bench node", calls=calls)


if __name__ == "__main__":
    main()
