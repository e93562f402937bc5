"""A way to refuse in (`component` or `middleware`, and `scope` for the endpoint), the catalog on FastMCP 4 out."""

import sys

from fastmcp import FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.server.auth import AuthContext
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.middleware import AuthMiddleware

import catalog


def may(context: AuthContext) -> bool:
    return context.token is not None and catalog.may(context.component.name, context.token.claims)


catalog.complaint = ToolError
class Verifier(JWTVerifier):
    def _extract_scopes(self, claims: dict) -> list[str]:
        return catalog.scopes(claims)


listener, url = catalog.bind()
verifier = Verifier(
    jwks_uri=catalog.KEYS,
    issuer=catalog.ISSUERS,
    audience=catalog.AUDIENCES,
    base_url=url,
    required_scopes=["catalog"] if "scope" in sys.argv else None,
)
if sys.argv[1] == "middleware":
    server = FastMCP("product-catalog", auth=verifier, middleware=[AuthMiddleware(auth=may)])
    check = None
else:
    server = FastMCP("product-catalog", auth=verifier)
    check = may
for name, tool in catalog.TOOLS.items():
    server.tool(tool, name=name, auth=check)
catalog.serve(server.http_app(), listener, url)
