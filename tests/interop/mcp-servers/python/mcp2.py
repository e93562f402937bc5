"""A way to refuse in (a key of REFUSALS, and `scope` for the endpoint), the catalog on the Python SDK 2 out."""

import functools
import sys

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError

import catalog

REFUSALS = {
    "tool-error": lambda rule: ToolError(f"Forbidden: {rule}"),
    # Of another class than the SDK's own: its text is masked.
    "masked": lambda rule: PermissionError(f"Forbidden: {rule}"),
    "mcp-error": lambda rule: MCPError(-32001, f"Forbidden: {rule}"),
}


class Verifier:
    async def verify_token(self, token: str) -> AccessToken | None:
        claims = await catalog.claims_of(token)
        if claims is None:
            return None
        client = claims.get("azp") or claims.get("appid")
        return AccessToken(
            token=token,
            client_id=client,
            scopes=catalog.scopes(claims),
            expires_at=claims["exp"],
            subject=claims["sub"],
            claims=claims,
        )


def guarded(tool, refusal):
    @functools.wraps(tool)
    def call(*args, **kwargs):
        if not catalog.may(tool.__name__, get_access_token().claims):
            raise refusal(catalog.rule(tool.__name__))
        return tool(*args, **kwargs)

    return call


catalog.complaint = ToolError
listener, url = catalog.bind()
auth = AuthSettings(
    issuer_url=catalog.ISSUERS[0],
    resource_server_url=url,
    required_scopes=["catalog"] if "scope" in sys.argv else None,
    validate_token_resource=False,
)
server = MCPServer("product-catalog", token_verifier=Verifier(), auth=auth)
for name, tool in catalog.TOOLS.items():
    server.tool(name=name)(guarded(tool, REFUSALS[sys.argv[1]]))
catalog.serve(server.streamable_http_app(), listener, url)
