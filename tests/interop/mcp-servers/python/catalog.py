"""Environment in, a product catalog and its guard out: what the Python servers share."""

import asyncio
import os
import socket
from uuid import uuid4

import jwt
import uvicorn

AUTHORITY = os.environ["ENTRA_AUTHORITY"]
TENANT = os.environ["ENTRA_TENANT_ID"]
APP = os.environ["API_APP_ID"]

KEYS = f"{AUTHORITY}/{TENANT}/discovery/v2.0/keys"
ISSUERS = [f"{AUTHORITY}/{TENANT}/v2.0", f"{AUTHORITY}/sts/{TENANT}/"]
AUDIENCES = [APP, f"api://{APP}"]

ANY = {"Products.Read", "Products.Write", "Products.Admin"}
RIGHTS = {
    "listProducts": ANY,
    "getProduct": ANY,
    "createProduct": {"Products.Write", "Products.Admin"},
    "deleteProduct": {"Products.Admin"},
}

# What the SDK takes as a tool's own complaint; each server sets it.
complaint: type[Exception] = ValueError
_products: dict[str, dict] = {}
_keys = jwt.PyJWKClient(KEYS)


def listProducts(q: str = "") -> dict:
    """All products, or those whose name has `q` in it."""
    return {"items": [product for product in _products.values() if q in product["name"]]}


def getProduct(id: str) -> dict:
    """One product."""
    return _known(id)


def createProduct(name: str, price: float) -> dict:
    """Adds a product."""
    product = {"id": str(uuid4()), "name": name, "price": price}
    _products[product["id"]] = product
    return product


def deleteProduct(id: str) -> dict:
    """Removes a product."""
    del _products[_known(id)["id"]]
    return {"deleted": id}


def _known(id: str) -> dict:
    if id not in _products:
        raise complaint("product not found")
    return _products[id]


TOOLS = {tool.__name__: tool for tool in (listProducts, getProduct, createProduct, deleteProduct)}


async def claims_of(token: str) -> dict | None:
    """The claims of a token of ours; nothing for any other."""
    try:
        key = await asyncio.to_thread(_keys.get_signing_key_from_jwt, token)
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=AUDIENCES,
            issuer=ISSUERS,
            options={"require": ["exp", "iss", "aud"]},
        )
    except jwt.PyJWTError:
        return None


def scopes(claims: dict) -> list[str]:
    """The one scope that whoever has a role is given: an endpoint can demand it of every call."""
    return ["catalog"] if ANY & set(claims.get("roles", [])) else []


def may(name: str, claims: dict) -> bool:
    """Whether the caller with these claims may call that tool."""
    return bool(RIGHTS[name] & set(claims.get("roles", [])))


def rule(name: str) -> str:
    """The rule of a tool in words."""
    return f"{' or '.join(sorted(RIGHTS[name]))} role required"


def bind() -> tuple[socket.socket, str]:
    """A listening socket on a free port of the loopback, and the URL of the MCP endpoint there."""
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"


def serve(app, listener: socket.socket, url: str) -> None:
    """Says where, then serves until it is stopped."""
    print(url, flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
