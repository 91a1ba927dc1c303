// axe in a real browser over every recorded screen, both themes and three sizes: contrast, and nothing clipped at the side.
// `npm run build:recorded && npm run audit`. Needs Chromium.
import { readFileSync } from 'node:fs';
import { SCREENS, SIZES } from './screens.mjs';
import { serve } from './serve.mjs';
import { chromium } from 'playwright-core';

const axe = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const { origin, close } = await serve();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
let found = 0;
const say = (text) => {
  found += 1;
  console.log(text);
};
for (const one of SCREENS) {
  const [state, screen] = one.split(':');
  for (const [width, height] of SIZES) {
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
console.log(found === 0 ? `axe found nothing on ${SCREENS.length} screens, two themes, three sizes` : `${found} faults`);
process.exit(found === 0 ? 0 : 1);
