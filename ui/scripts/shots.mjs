// Pictures of the recorded screens: `npm run shots -- <folder> [state:screen …]`. Needs Chromium.
import { createServer } from 'node:http';
import { mkdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { chromium } from 'playwright-core';

const [folder = '/tmp/shots', ...wanted] = process.argv.slice(2);
const root = new URL('../dist-recorded', import.meta.url).pathname;
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'";
const server = createServer((request, response) => {
  const path = new URL(request.url, 'http://x').pathname;
  try {
    const file = path === '/' ? '/index.html' : path;
    const body = readFileSync(root + file);
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'text/plain', 'content-security-policy': policy });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;

const all = [
  'sandbox:overview', 'live:overview', 'fresh:overview', 'empty:overview', 'offline:overview', 'locked:overview', 'notices:overview', 'sandbox:batches',
  'fresh:batches', 'sandbox:usage', 'sandbox:estimate', 'sandbox:buy', 'paying:buy', 'sandbox:settings', 'signed-out:',
];
const sizes = process.env.SIZES?.split(',') ?? ['1440x900'];
const themes = process.env.THEMES?.split(',') ?? ['light', 'dark'];
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
let faults = 0;
for (const one of wanted.length > 0 ? wanted : all) {
  const [state, screen = ''] = one.split(':');
  for (const size of sizes) {
    const [width, height] = size.split('x').map(Number);
    for (const theme of themes) {
      const page = await browser.newPage({ viewport: { width, height }, timezoneId: 'Europe/Berlin', locale: 'en-GB' });
      const fault = (text) => {
        faults += 1;
        console.log(`${one} ${theme} ${size}: ${text}`);
      };
      page.on('console', (message) => message.type() === 'error' && fault(message.text()));
      page.on('pageerror', (error) => fault(error.message));
      await page.goto(`${origin}/?state=${state}&screen=${screen}&theme=${theme}`);
      await page.waitForTimeout(500);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) fault(`${wide} px too wide`);
      await page.screenshot({ path: `${folder}/${state}-${screen || 'start'}.${size}.${theme}.png` });
      await page.close();
    }
  }
}
await browser.close();
server.close();
process.exit(faults > 0 ? 1 : 0);
