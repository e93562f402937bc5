// A way to refuse in (`thrown` or `unregistered`), the catalog on the TypeScript SDK 2 out: both eras, no sessions.

import { createMcpExpressApp, requireBearerAuth } from '@modelcontextprotocol/express';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer, OAuthError, OAuthErrorCode, ProtocolError } from '@modelcontextprotocol/server';
import { may, result, rule, serve, TOOLS, verify } from './catalog.mjs';

const unregistered = process.argv[2] === 'unregistered';

class Invalid extends OAuthError {
    constructor(message) {
        super(OAuthErrorCode.InvalidToken, message);
    }
}

function build({ authInfo }) {
    const server = new McpServer({ name: 'product-catalog', version: '1.0.0' });
    for (const [name, { input, run }] of Object.entries(TOOLS)) {
        if (unregistered && !may(name, authInfo)) continue;
        server.registerTool(name, { inputSchema: input }, args => {
            if (!may(name, authInfo)) throw new ProtocolError(-32001, `Forbidden: ${rule(name)}`);
            return result(run(args));
        });
    }
    return server;
}

const app = createMcpExpressApp();
const handler = toNodeHandler(createMcpHandler(build));
app.use(requireBearerAuth({ verifier: { verifyAccessToken: token => verify(token, Invalid) } }));
app.all('/mcp', (request, response) => handler(request, response, request.body));
serve(app);
