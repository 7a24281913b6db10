"""The least a web application can do: a body of any size, by the lab's own server and TLS.

`python -m bench.plain CERTIFICATE KEY` prints its port; `GET /SIZE` answers a body of that size.
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


async def answer(request: Request) -> Response:
    """Answer as many bytes as the path says."""
    return Response(b"x" * int(request.path_params["size"]), media_type="application/xml")


def main(certificate: str, key: str) -> None:
    """Serve until killed."""
    # With the protocol named, asyncio turns Nagle's algorithm off, as in the lab.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    print(listening.getsockname()[1], flush=True)
    config = uvicorn.Config(
        Starlette(routes=[Route("/{size:int}", answer)]),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    uvicorn.Server(config).run([listening])


if __name__ == "__main__":
    main(*sys.argv[1:3])
