// axe in a real browser over every recorded screen, both themes and three sizes: contrast, and nothing clipped at the side.
// `npm run build:recorded && npm run audit`. Needs Chromium.
import { readFileSync } from 'node:fs';
import { serve } from './serve.mjs';
import { chromium } from 'playwright-core';

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const screens = [
  'sandbox:overview', 'live:overview', 'fresh:overview', 'empty:overview', 'offline:overview', 'locked:overview', 'notices:overview', 'sandbox:batches',
  'offline:batches', 'sandbox:usage', 'sandbox:estimate', 'signed-out:estimate', 'sandbox:buy', 'paying:buy', 'paid:buy', 'no-price:buy', 'mixed-price:buy', 'prefill-link:buy', 'no-wallet:buy', 'many-payments:buy',
  'pay-browser-by-hand:buy', 'pay-browser-wrong-chain:buy', 'pay-browser-rejected:buy', 'pay-connect-pairing:buy', 'pay-connect-asked:buy', 'pay-link:buy', 'pay-card:buy',
  'paying-stuck:buy', 'paying-held:buy', 'paying-reverted:buy', 'paid-final:buy', 'sandbox:settings', 'no-wallet:settings', 'new-wallet:settings', 'sick-nodes:settings', 'signed-out:',
];
const { origin, close } = await serve();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
let found = 0;
const say = (text) => {
  found += 1;
  console.log(text);
};
for (const one of screens) {
  const [state, screen] = one.split(':');
  for (const [width, height] of [[1440, 900], [1000, 700], [420, 800]]) {
    for (const theme of ['light', 'dark']) {
      const context = await browser.newContext({ viewport: { width, height }, timezoneId: 'Europe/Berlin', locale: 'en-GB', bypassCSP: true, reducedMotion: 'reduce' });
      const page = await context.newPage();
      const name = `${one} ${width} ${theme}`;
      page.on('pageerror', (error) => say(`${name}: ${error.message}`));
      await page.goto(`${origin}/?state=${state}&screen=${screen}&theme=${theme}`);
      await page.waitForTimeout(350);
      await page.addScriptTag({ content: axe });
      const { violations } = await page.evaluate(() =>
        globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }),
      );
      for (const fault of violations) say(`${name}: ${fault.id}: ${fault.nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).slice(0, 4).join(' | ')}`);
      const wide = await page.evaluate(() => Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('main')].map((main) => main.scrollWidth - main.clientWidth)));
      if (wide > 0) say(`${name}: ${wide} px too wide`);
      await context.close();
    }
  }
}
await browser.close();
close();
console.log(found === 0 ? `axe found nothing on ${screens.length} screens, two themes, three sizes` : `${found} faults`);
process.exit(found === 0 ? 0 : 1);
