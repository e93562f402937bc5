// A folder in; a certified OpenID provider on loopback, with its variables and a client's key in that folder, out.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Provider } from 'oidc-provider';
import { confirmDevice, consent, deviceCode, signedIn, signIn, told } from './pages.mjs';

const [folder] = process.argv.slice(2);
const CATALOG = 'https://catalog.example/api';
const ORDERS = 'https://orders.example/api';

const secret = () => randomBytes(24).toString('base64url');

// Who may do what stands here by hand, and not in the scenarios: else they would agree with themselves.
const accounts = {
  reader: { roles: ['Products.Read'], password: secret() },
  writer: { roles: ['Products.Write'], password: secret() },
  admin: { roles: ['Products.Admin'], password: secret() },
  overseer: { roles: ['Products.Read', 'Products.Admin'], password: secret() },
};
const services = {
  'catalog-reader': { roles: ['Products.Read'], secret: secret() },
  // What RFC 6749 section 2.3.1 has encoded before HTTP Basic encodes it again.
  'catalog-writer': { roles: ['Products.Write'], secret: `${secret()}:+/%&= ~` },
  'catalog-admin': { roles: ['Products.Admin'] },
  'catalog-overseer': { roles: ['Products.Read', 'Products.Admin'], secret: secret() },
};

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });

const service = (id, method, more = {}) => ({
  client_id: id,
  client_secret: services[id].secret,
  token_endpoint_auth_method: method,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  ...more,
});

const clients = [
  service('catalog-reader', 'client_secret_post'),
  service('catalog-writer', 'client_secret_basic'),
  service('catalog-admin', 'private_key_jwt', {
    token_endpoint_auth_signing_alg: 'RS256',
    jwks: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }] },
  }),
  service('catalog-overseer', 'client_secret_post'),
  {
    client_id: 'catalog-app',
    client_name: 'Catalog App',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    response_types: ['code'],
    redirect_uris: ['http://localhost/', 'http://127.0.0.1/back'],
  },
];

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const provider = new Provider(issuer, {
  clients,
  jwks: { keys: [{ ...signing, use: 'sig', alg: 'RS256', kid: 'one' }] },
  cookies: { keys: [secret()] },
  scopes: ['openid', 'offline_access'],
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  ttl: { AccessToken: 600, ClientCredentials: 600, Interaction: 300, Session: 600, Grant: 3600, RefreshToken: 3600 },
  findAccount: (_context, id) => accounts[id] && { accountId: id, claims: () => ({ sub: id }) },
  extraTokenClaims: (_context, token) => ({ roles: (accounts[token.accountId] ?? services[token.clientId]).roles }),
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  renderError: (context, _out, error) => { context.body = told('Something is wrong', error.message); },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (context, form, _out, error) => { context.body = deviceCode(form, error); },
      userCodeConfirmSource: (context, form, client, _device, code) => { context.body = confirmDevice(form, client, code); },
      successSource: (context) => { context.body = signedIn(context.oidc.client); },
    },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_context, resource) => {
        if (![CATALOG, ORDERS].includes(resource)) throw new Error('unknown resource');
        return { scope: 'catalog', audience: resource, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
      },
    },
  },
});
provider.on('server_error', (_context, error) => console.error(error));

// Reads what a page posted.
async function form(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return new URLSearchParams(body);
}

// A user's grant to the client, with all that the prompt still misses.
async function granted({ session, grantId, params, prompt: { details } }) {
  const grant = (grantId && await provider.Grant.find(grantId))
    ?? new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return grant.save();
}

const declined = { error: 'access_denied', error_description: 'the user declined' };

// Shows a page on which somebody signs in or consents, and takes its answer.
async function interaction(request, response) {
  const details = await provider.interactionDetails(request, response);
  const client = await provider.Client.find(details.params.client_id);
  const show = (page) => response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(page);
  const finish = (result, merge) => provider.interactionFinished(request, response, result, { mergeWithLastSubmission: merge });
  const page = (message) => (details.prompt.name === 'login'
    ? signIn(client, details.params.login_hint, message)
    : consent(client, details.session.accountId, details.params));
  if (request.method !== 'POST') return show(page());
  const answer = await form(request);
  if (answer.get('answer') === 'no') return finish(declined, false);
  if (details.prompt.name === 'consent') return finish({ consent: { grantId: await granted(details) } }, true);
  const account = accounts[answer.get('account')];
  if (account?.password !== answer.get('password')) return show(page('That account or password is wrong.'));
  return finish({ login: { accountId: answer.get('account') } }, false);
}

const callback = provider.callback();
server.on('request', (request, response) => {
  if (!request.url.startsWith('/interaction/')) return callback(request, response);
  return interaction(request, response).catch((error) => {
    console.error(error.message);
    response.writeHead(400, { 'content-type': 'text/html; charset=utf-8' }).end(told('Something is wrong', 'This page is no longer valid.'));
  });
});

const variables = { ISSUER: issuer, CATALOG, ORDERS };
for (const [name, { password }] of Object.entries(accounts)) variables[`${name.toUpperCase()}_PASSWORD`] = password;
for (const [id, { secret: value }] of Object.entries(services)) {
  const name = id.replace('catalog-', '').toUpperCase();
  variables[`${name}_ID`] = id;
  if (value) variables[`${name}_SECRET`] = value;
}
variables.APP_ID = 'catalog-app';
writeFileSync(join(folder, 'admin.key'), privatePem, { mode: 0o600 });
// Written last: whoever waits for it finds everything.
const text = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`).join('');
writeFileSync(join(folder, 'provider.env'), text, { mode: 0o600 });
