// `scope` in for an endpoint that demands one, the catalog on the TypeScript SDK 1 with its sample's map of sessions out.

import { randomUUID } from 'node:crypto';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest, McpError } from '@modelcontextprotocol/sdk/types.js';
import { may, result, rule, serve, TOOLS, verify } from './catalog.mjs';

function build() {
    const server = new McpServer({ name: 'product-catalog', version: '1.0.0' });
    for (const [name, { input, run }] of Object.entries(TOOLS)) {
        server.registerTool(name, { inputSchema: input }, (args, { authInfo }) => {
            if (!may(name, authInfo)) throw new McpError(-32001, `Forbidden: ${rule(name)}`);
            return result(run(args));
        });
    }
    return server;
}

const sessions = new Map();

async function open() {
    const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: id => sessions.set(id, transport)
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await build().connect(transport);
    return transport;
}

async function answer(request, response) {
    const id = request.headers['mcp-session-id'];
    const transport = sessions.get(id) ?? (!id && isInitializeRequest(request.body) ? await open() : undefined);
    if (transport) return transport.handleRequest(request, response, request.body);
    const error = { code: -32000, message: 'Bad Request: No valid session ID provided' };
    response.status(400).json({ jsonrpc: '2.0', error, id: null });
}

const app = createMcpExpressApp();
const verifier = { verifyAccessToken: token => verify(token, InvalidTokenError) };
app.use(requireBearerAuth({ verifier, requiredScopes: process.argv[2] === 'scope' ? ['catalog'] : [] }));
app.all('/mcp', answer);
serve(app);
