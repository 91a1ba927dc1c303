// Pictures of the recorded screens: `npm run shots -- <folder> [state:screen[:step,step] …]`. A step is the test id of what is clicked,
// `id@2` for the third of its kind, `id=text` for what is typed there, `key=Control+k` or `type=text` for the keyboard. Needs Chromium.
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { serve } from './serve.mjs';

const [folder = '/tmp/shots', ...wanted] = process.argv.slice(2);
const { origin, close } = await serve();

const all = [
  'sandbox:overview', 'live:overview', 'fresh:overview', 'empty:overview', 'offline:overview', 'locked:overview', 'notices:overview', 'sandbox:batches',
  'fresh:batches', 'sandbox:usage', 'sandbox:estimate', 'sandbox:buy', 'paying:buy', 'sandbox:settings', 'signed-out:',
];
const sizes = process.env.SIZES?.split(',') ?? ['1440x900'];
// What else the recorded backend is asked for, such as `lang=zh-Hans&hidden=yes`.
const more = process.env.ASK === undefined ? '' : `&${process.env.ASK}`;
const themes = process.env.THEMES?.split(',') ?? ['light', 'dark'];
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
let faults = 0;
for (const one of wanted.length > 0 ? wanted : all) {
  const [state, screen = '', steps = ''] = one.split(':');
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
      await page.goto(`${origin}/?state=${state}&screen=${screen}&theme=${theme}${more}`);
      await page.waitForTimeout(500);
      for (const step of steps.split(',').filter((part) => part !== '')) {
        const [id, text] = step.split('=');
        if (id === 'key' || id === 'type') {
          await (id === 'key' ? page.keyboard.press(text) : page.keyboard.type(text));
          await page.waitForTimeout(400);
          continue;
        }
        const [name, nth = '0'] = id.split('@');
        const target = page.locator(`[data-testid="${name}"]`).nth(Number(nth));
        if (text === undefined) await target.click({ force: true });
        else await target.fill(text);
        await page.waitForTimeout(400);
      }
      const wide = await page.evaluate(() => Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('main')].map((main) => main.scrollWidth - main.clientWidth)));
      if (wide > 0) fault(`${wide} px too wide`);
      const name = [state, screen || 'start', ...steps.split(',').filter((part) => part !== '')].join('-').replaceAll(/[^\w.-]+/g, '_');
      if (process.env.WHOLE) {
        // The page scrolls within the window: the window grows until all of it shows.
        const more = await page.evaluate(() => Math.max(0, ...[...document.querySelectorAll('main')].map((main) => main.scrollHeight - main.clientHeight)));
        await page.setViewportSize({ width, height: height + more });
        await page.waitForTimeout(150);
      }
      await page.screenshot({ path: `${folder}/${name}.${size}.${theme}${more.replaceAll(/[^\w-]+/g, '.')}.png` });
      await page.close();
    }
  }
}
await browser.close();
close();
process.exit(faults > 0 ? 1 : 0);
