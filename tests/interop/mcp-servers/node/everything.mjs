// The package's own server as it is, but on a free port of the loopback, which it says first.

import { Server } from 'node:net';

const listen = Server.prototype.listen;
Server.prototype.listen = function (_, ready) {
    const say = () => process.stdout.write(`http://127.0.0.1:${this.address().port}/mcp\n`);
    return listen.call(this, 0, '127.0.0.1', () => (say(), ready?.()));
};
console.log = console.error;
await import('@modelcontextprotocol/server-everything/dist/transports/streamableHttp.js');
