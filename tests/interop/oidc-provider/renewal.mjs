// A file in; the refresh token of the admin, who has signed in with a code that a device showed, in that file out.
import { writeFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const { ISSUER, APP_ID, RESOURCE } = process.env;

async function ask(endpoint, fields) {
  const response = await fetch(endpoint, { method: 'POST', body: new URLSearchParams({ client_id: APP_ID, resource: RESOURCE, ...fields }) });
  return response.json();
}

const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
const begun = await ask(metadata.device_authorization_endpoint, { scope: 'openid offline_access catalog' });
// Said as rolecall says it, for the same visitor.
console.error(`rolecall: admin: to sign in, open ${begun.verification_uri} and enter the code ${begun.user_code}`);
let answer = {};
for (let attempt = 0; !answer.refresh_token && attempt < 100; attempt += 1) {
  await new Promise((wait) => setTimeout(wait, 200));
  answer = await ask(metadata.token_endpoint, { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: begun.device_code });
}
writeFileSync(file, answer.refresh_token, { mode: 0o600 });
