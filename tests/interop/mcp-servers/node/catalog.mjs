// Environment in, a product catalog and its guard out: what the Node servers share.

import { randomUUID } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';

const { ENTRA_AUTHORITY, ENTRA_TENANT_ID, API_APP_ID } = process.env;
const home = `${ENTRA_AUTHORITY}/${ENTRA_TENANT_ID}`;
const keys = createRemoteJWKSet(new URL(`${home}/discovery/v2.0/keys`));
const demands = {
    algorithms: ['RS256'],
    issuer: [`${home}/v2.0`, `${ENTRA_AUTHORITY}/sts/${ENTRA_TENANT_ID}/`],
    audience: [API_APP_ID, `api://${API_APP_ID}`],
    requiredClaims: ['exp']
};

const ANY = ['Products.Read', 'Products.Write', 'Products.Admin'];
const products = new Map();

const known = id => products.get(id) ?? fail('product not found');

function fail(text) {
    throw new Error(text);
}

/** Each tool: who may, what it takes, what it does. */
export const TOOLS = {
    listProducts: {
        roles: ANY,
        input: z.object({ q: z.string().optional() }),
        run: ({ q = '' }) => ({ items: [...products.values()].filter(({ name }) => name.includes(q)) })
    },
    getProduct: { roles: ANY, input: z.object({ id: z.string() }), run: ({ id }) => known(id) },
    createProduct: {
        roles: ['Products.Write', 'Products.Admin'],
        input: z.object({ name: z.string(), price: z.number() }),
        run: draft => {
            const product = { id: randomUUID(), ...draft };
            products.set(product.id, product);
            return product;
        }
    },
    deleteProduct: {
        roles: ['Products.Admin'],
        input: z.object({ id: z.string() }),
        run: ({ id }) => products.delete(known(id).id) && { deleted: id }
    }
};

/** Whether the caller may call that tool. */
export const may = (name, auth) => TOOLS[name].roles.some(role => auth?.extra?.roles.includes(role));

/** The rule of a tool in words. */
export const rule = name => `${TOOLS[name].roles.join(' or ')} role required`;

/** A tool's result as the protocol wants it. */
export function result(content) {
    return { content: [{ type: 'text', text: JSON.stringify(content) }], structuredContent: content };
}

/** What the token says of its caller; throws `Invalid` for one that is not ours. */
export async function verify(token, Invalid) {
    const { payload } = await jwtVerify(token, keys, demands).catch(error => {
        throw new Invalid(error.message);
    });
    const roles = payload.roles ?? [];
    return {
        token,
        clientId: payload.azp ?? payload.appid,
        // Whoever has a role is given one scope, which an endpoint can demand of every call.
        scopes: ANY.some(role => roles.includes(role)) ? ['catalog'] : [],
        expiresAt: payload.exp,
        extra: { roles }
    };
}

/** Serves an Express app on a free port of the loopback and says where. */
export function serve(app) {
    const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
}
