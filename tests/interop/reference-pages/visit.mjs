// A page of the reference deployment in, a persona that has signed in and agreed, or declined, out.
import { createHmac } from 'node:crypto';

// What an authenticator shows that was given a base32 secret (RFC 6238).
function shown(secret) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const tag = createHmac('sha1', key).update(time).digest();
  const number = tag.readUInt32BE(tag[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

export async function visit(page, { persona, url, code, picture, declines }) {
  const at = (name) => process.env[`${persona.toUpperCase()}_${name}`];
  await page.goto(url);
  if (code) await page.getByLabel('Code', { exact: true }).fill(code);
  await page.getByLabel('Account').fill(at('USER'));
  await page.getByLabel('Enter password').fill(at('PASSWORD'));
  if (at('SEED')) await page.getByLabel(/authenticator/).fill(shown(at('SEED')));
  await picture();
  await page.getByRole('button', { name: code ? 'Continue' : 'Sign in' }).click();
  const accept = page.getByRole('button', { name: declines ? 'Cancel' : 'Accept' });
  const end = page.getByText(/page can be closed|close this window/i);
  await accept.or(end).waitFor();
  if (await accept.isVisible()) {
    await picture();
    await accept.click();
    await end.waitFor();
  }
  await picture();
}
