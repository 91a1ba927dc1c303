// Looks for text that does not fit, in a language a third longer than English and from right to left: cut off by what it stands in, written over its
// button's edge, or beyond the window. `npm run build:recorded && npm run fit [-- <language> …]`. Needs Chromium.
import { chromium } from 'playwright-core';
import { SCREENS, SIZES } from './screens.mjs';
import { serve } from './serve.mjs';

const languages = process.argv.length > 2 ? process.argv.slice(2) : ['en-XA', 'ar-XB', 'zh-Hans'];
const { origin, close } = await serve();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });

/** Runs in the page: what is cut off, in words. */
function cutOff() {
  const EDGES = 'button, .btn, .chip, .seg span, .input, td, th, kbd';
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.nodeValue.trim();
    const parent = node.parentElement;
    if (text === '' || parent === null || parent.closest('.sr, .skip, script, style, title, desc, option, [hidden]') !== null) continue;
    // Said, not shown.
    if ([...function* () { for (let up = parent; up !== null; up = up.parentElement) yield up; }()].some((up) => getComputedStyle(up).clipPath !== 'none')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 0 && box.height > 0);
    if (boxes.length === 0 || getComputedStyle(parent).visibility === 'hidden') continue;
    const left = Math.min(...boxes.map((box) => box.left));
    const right = Math.max(...boxes.map((box) => box.right));
    const say = (how, where) => found.push(`${how} by <${where.tagName.toLowerCase()} class="${where.getAttribute('class') ?? ''}">: ${text.slice(0, 60)}`);
    let scrolls = false;
    for (let up = parent; up !== null; up = up.parentElement) {
      const { overflowX } = getComputedStyle(up);
      const box = up.getBoundingClientRect();
      if (overflowX === 'auto' || overflowX === 'scroll') {
        scrolls = true;
        break;
      }
      const outside = Math.round(Math.max(box.left - left, right - box.right));
      if (outside <= 1 || getComputedStyle(up).display === 'contents') continue;
      if (overflowX !== 'visible' && up.getAttribute('title') === null && parent.closest('svg') === null) {
        say(`${outside} px cut off`, up);
        break;
      }
      if (up.matches(EDGES) && !(up.matches('td, th') && up.closest('.sr') !== null)) {
        say(`${outside} px over the edge`, up);
        break;
      }
    }
    if (!scrolls && (left < -1 || right > innerWidth + 1)) say('beyond the window', parent);
  }
  return [...new Set(found)];
}

let faults = 0;
for (const language of languages) {
  for (const one of SCREENS) {
    const [state, screen] = one.split(':');
    for (const [width, height] of SIZES) {
      const page = await browser.newPage({ viewport: { width, height }, timezoneId: 'Europe/Berlin', locale: 'en-GB' });
      await page.goto(`${origin}/?state=${state}&screen=${screen}&lang=${language}`);
      await page.waitForTimeout(300);
      for (const fault of await page.evaluate(cutOff)) {
        faults += 1;
        console.log(`${language} ${one} ${width}: ${fault}`);
      }
      const wide = await page.evaluate(() => Math.max(document.documentElement.scrollWidth - innerWidth, ...[...document.querySelectorAll('main')].map((main) => main.scrollWidth - main.clientWidth)));
      if (wide > 0) {
        faults += 1;
        console.log(`${language} ${one} ${width}: ${wide} px too wide`);
      }
      await page.close();
    }
  }
}
await browser.close();
close();
console.log(faults === 0 ? `all text fits: ${SCREENS.length} screens, ${SIZES.length} sizes, ${languages.join(', ')}` : `${faults} faults`);
process.exit(faults === 0 ? 0 : 1);
