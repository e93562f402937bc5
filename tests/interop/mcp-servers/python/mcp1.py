"""The catalog on the Python SDK 1: sessions, and any exception of a tool is told to the caller."""

import functools

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.fastmcp import FastMCP

import catalog


class Verifier:
    async def verify_token(self, token: str) -> AccessToken | None:
        claims = await catalog.claims_of(token)
        if claims is None:
            return None
        client = claims.get("azp") or claims.get("appid")
        return AccessToken(
            token=token, client_id=client, scopes=[], expires_at=claims["exp"], subject=claims["sub"], claims=claims
        )


def guarded(tool):
    @functools.wraps(tool)
    def call(*args, **kwargs):
        if not catalog.may(tool.__name__, get_access_token().claims):
            raise PermissionError(f"Forbidden: {catalog.rule(tool.__name__)}")
        return tool(*args, **kwargs)

    return call


listener, url = catalog.bind()
auth = AuthSettings(issuer_url=catalog.ISSUERS[0], resource_server_url=url)
server = FastMCP("product-catalog", token_verifier=Verifier(), auth=auth)
for name, tool in catalog.TOOLS.items():
    server.tool(name=name)(guarded(tool))
catalog.serve(server.streamable_http_app(), listener, url)
