"""The double itself: Qdrant's REST routes over its real engine. Not a Qdrant server.

Run as `python -m tests.support.qdrant.double --port N --folder DIR`; the API key and,
for TLS, certificate and key come from the environment like the real one's.
"""

import argparse
import hmac
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.qdrant.collections import Collection, NotFound
from tests.support.qdrant.filters import BadRequest

Action = Callable[[Request], Awaitable[Any]]


class Double:
    """All collections of one folder, and the routes to them."""

    def __init__(self, folder: Path, api_key: str) -> None:
        self.folder, self.api_key = folder, api_key
        folder.mkdir(parents=True, exist_ok=True)
        opened = map(Collection.load, sorted(folder.iterdir()))
        self.collections = {each.name: each for each in opened}

    def build_app(self) -> Starlette:
        """Return the ASGI application."""
        name = "/collections/{name}"
        routes: list[tuple[str, str, Action]] = [
            ("GET", "/", self.version),
            ("GET", "/collections", self.list_collections),
            ("GET", name, self.describe),
            ("GET", f"{name}/exists", self.exists),
            ("PUT", name, self.create),
            ("DELETE", name, self.delete),
            ("PUT", f"{name}/index", self.index),
            ("PUT", f"{name}/points", self.upsert),
            ("POST", f"{name}/points/query", self.query),
        ]
        return Starlette(
            routes=[
                Route(path, self.guarded(action), methods=[method])
                for method, path, action in routes
            ]
        )

    def guarded(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        """Check the API key and answer in Qdrant's envelope."""

        async def endpoint(request: Request) -> Response:
            given = request.headers.get("api-key", "")
            if self.api_key and not hmac.compare_digest(given, self.api_key):
                return Response("Must provide an API key", status_code=401)
            try:
                result = await action(request)
            except (NotFound, KeyError) as error:
                return refuse(404, str(error.args[0]))
            except BadRequest as error:
                return refuse(400, str(error))
            except Exception as error:  # noqa: BLE001 -- the engine's only kind
                return refuse(400, f"Wrong input: {error}")
            if request.url.path == "/":
                return JSONResponse(result)
            return JSONResponse({"result": result, "status": "ok", "time": 0.001})

        return endpoint

    async def version(self, _: Request) -> Any:
        return {"title": "double of qdrant", "version": "1.20.0"}

    async def list_collections(self, _: Request) -> Any:
        return {"collections": [{"name": name} for name in self.collections]}

    async def describe(self, request: Request) -> Any:
        return self.find(request).describe()

    async def exists(self, request: Request) -> Any:
        return {"exists": request.path_params["name"] in self.collections}

    async def create(self, request: Request) -> Any:
        name = request.path_params["name"]
        if name in self.collections:
            raise BadRequest(f"Wrong input: Collection `{name}` already exists!")
        folder = self.folder / f"{len(self.collections):04d}"
        body = await request.json()
        self.collections[name] = Collection.create(folder, name, body)
        return True

    async def delete(self, request: Request) -> Any:
        collection = self.collections.pop(request.path_params["name"], None)
        return collection is not None

    async def index(self, request: Request) -> Any:
        self.find(request).index(await request.json())
        return {"operation_id": 0, "status": "completed"}

    async def upsert(self, request: Request) -> Any:
        self.find(request).upsert(await request.json())
        return {"operation_id": 0, "status": "completed"}

    async def query(self, request: Request) -> Any:
        return {"points": self.find(request).query(await request.json())}

    def find(self, request: Request) -> Collection:
        name = request.path_params["name"]
        if name not in self.collections:
            raise NotFound(f"Not found: Collection `{name}` doesn't exist!")
        return self.collections[name]


def refuse(status: int, message: str) -> Response:
    return JSONResponse({"status": {"error": message}, "time": 0.0}, status)


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    double = Double(arguments.folder, os.environ.get("QDRANT__SERVICE__API_KEY", ""))
    uvicorn.run(
        double.build_app(),
        host="127.0.0.1",
        port=arguments.port,
        log_level="error",
        ssl_certfile=os.environ.get("QDRANT__TLS__CERT"),
        ssl_keyfile=os.environ.get("QDRANT__TLS__KEY"),
    )


if __name__ == "__main__":
    main()
