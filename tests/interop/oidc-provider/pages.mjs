// What a user is asked or told in, a page out.

const escaped = (text) => String(text ?? '').replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const named = (client) => escaped(client.clientName ?? client.clientId);

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; background: #f3f4f6; color: #1f2937; }
  main { max-width: 24rem; margin: 12vh auto; padding: 2rem; background: #fff; border-radius: .75rem; box-shadow: 0 1px 4px #0003; }
  h1 { font-size: 1.4rem; margin: 0 0 1rem; } label { display: block; margin: .75rem 0; }
  input:not([type=hidden]) { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; }
  button { font: inherit; padding: .5rem 1.25rem; margin: .75rem .5rem 0 0; } [role=alert] { color: #b91c1c; }`;

const page = (heading, body) => `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>${heading}</title><style>${STYLE}</style>
<main><h1>${heading}</h1>${body}</main></html>`;

const note = (message) => (message ? `<p role="alert">${escaped(message)}</p>` : '');

export const signIn = (client, hint, message) => page('Sign in', `<p>to go on to <b>${named(client)}</b></p>${note(message)}
<form method="post"><label>Account <input name="account" value="${escaped(hint)}" required autofocus></label>
<label>Password <input name="password" type="password" required></label>
<button name="answer" value="yes">Sign in</button><button name="answer" value="no" formnovalidate>Cancel</button></form>`);

export const consent = (client, account, { resource, scope }) => page('May it?', `<p><b>${named(client)}</b> wants to act as
<b>${escaped(account)}</b> at</p><ul><li>${escaped(resource)}</li><li>${escaped(scope)}</li></ul>
<form method="post"><button name="answer" value="yes">Allow</button><button name="answer" value="no">Decline</button></form>`);

export const deviceCode = (form, error) => page('Enter the code', `<p>that the device shows</p>
${note(error && 'That code is not known, or it was used.')}${form}<button form="op.deviceInputForm">Continue</button>`);

export const confirmDevice = (form, client, code) => page('Is this your device?', `<p><b>${named(client)}</b> shows the code
<b>${escaped(code)}</b></p>${form}<button form="op.deviceConfirmForm">Yes</button>
<button form="op.deviceConfirmForm" name="abort" value="yes">No</button>`);

export const signedIn = (client) => page('Signed in', `<p>Back to <b>${named(client)}</b>: this page can be closed.</p>`);

export const told = (heading, sentence) => page(heading, `<p>${escaped(sentence)}</p>`);
