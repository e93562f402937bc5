// A suite's visit.mjs, a folder and a command in; the command's output and pictures of every page in that folder, its exit code out.
// The command runs at a terminal, and whoever it asks to sign in does so in Chromium. Personas in DECLINE say no.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';

const [visits, folder, ...command] = process.argv.slice(2);
const { visit } = await import(resolve(visits));
const declining = (process.env.DECLINE ?? '').split(' ');
const ASKED = /^rolecall: (\S+): to sign in, open (\S+)(?: and enter the code (\S+))?$/;
const PATIENCE = 15_000;

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--no-proxy-server',
    // A page that wants anything from elsewhere must not get it.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1',
  ],
});

const quoted = (word) => `'${word.replaceAll("'", "'\\''")}'`;
const line = `${command.map(quoted).join(' ')} > ${quoted(join(folder, 'stdout'))}`;
const terminal = spawn('script', ['-qefc', line, '/dev/null'], { stdio: ['ignore', 'pipe', 'inherit'] });
const said = createWriteStream(join(folder, 'stderr'));

// A visit in a browser that remembers nobody.
async function attend([, persona, url, code]) {
  const context = await browser.newContext({ viewport: { width: 800, height: 600 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  let pictures = 0;
  const picture = () => page.screenshot({ path: join(folder, `${persona}-${++pictures}.png`) });
  try {
    await visit(page, { persona, url, code, picture, declines: declining.includes(persona) });
  } catch (error) {
    await picture();
    throw error;
  } finally {
    await context.close();
  }
}

let failure;
let visiting = Promise.resolve();
let rest = '';
terminal.stdout.on('data', (chunk) => {
  said.write(chunk);
  const lines = (rest + chunk).split(/\r?\n/);
  rest = lines.pop();
  for (const asked of lines.map((text) => ASKED.exec(text)).filter(Boolean)) {
    visiting = visiting.then(() => attend(asked)).catch((error) => {
      failure ??= `${asked[1]}: ${error.message}`;
      terminal.kill();
    });
  }
});

const exit = await new Promise((ended) => terminal.on('close', ended));
await visiting;
await browser.close();
if (failure) console.error(`the browser could not sign in ${failure}`);
process.exit(failure ? 70 : exit);
