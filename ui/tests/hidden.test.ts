/** With amounts hidden, no digit of any amount that the recorded backend has said is to be seen or heard on any screen. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DISPLAY, type Scenario } from '../recorded/backend';
import { purchase } from '../src/features/buy/purchase.svelte';
import * as f from '../src/format';
import type { Route } from '../src/state/route.svelte';
import { heard, listening, type Said } from './listening';
import { click, STOPS } from './stops';
import { byTestId, openWindow, shown, textOf } from './window';

afterEach(() => {
  DISPLAY.hide_amounts = false;
  f.privacy.hidden = false;
});

const AMOUNT = /(^|_)(credits|usd|eth|credits_per_day|usd_per_eth)($|_)/;
const DECIMAL = /^-?\d+(\.\d+)?$/;
/** Figures in a text; a per cent is no amount. */
const FIGURES = /(?:\d[\d.,]*\d|\d)(?![\d.,]*\s?%)/g;

/** Every way in which an amount could be written, without its signs. */
function written(value: string): string[] {
  return [f.credits, f.creditsShort, f.creditsFloor, f.creditsAxis, f.usd, f.usdExact, f.ethShort, f.ethAtLeast, f.ethAtMost, f.decimal, f.trimmed, (one: string) => one]
    .map((write) => write(value).replace(/[^\d.,]/g, ''));
}

/** The figures that must not show; those of one or two digits are like any count. */
function amounts(said: Said): Set<string> {
  f.privacy.hidden = false;
  const all = [...said].filter(([text, fields]) => DECIMAL.test(text) && [...fields].some((field) => AMOUNT.test(field))).flatMap(([text]) => written(text));
  // A count of tokens may be the same figure as an amount.
  const meters = [...said].flatMap(([text, fields]) => (fields.has('meters') ? (text.match(/\d+/g) ?? []) : []));
  const counts = new Set(meters.map((digits) => f.count(digits)));
  f.privacy.hidden = true;
  return new Set(all.filter((figure) => !counts.has(figure) && figure.replace(/\D/g, '').replace(/^0+|0+$/g, '').length > 2));
}

describe('no amount shows', () => {
  test.each(STOPS)('$scenario $screen $steps', async ({ scenario, screen, steps }) => {
    DISPLAY.hide_amounts = true;
    const { calls, said } = listening(scenario as Scenario);
    const window = await openWindow(scenario as Scenario, screen as Route, calls);
    await steps.reduce((before, step) => before.then(() => step(window)), Promise.resolve());
    const hidden = amounts(said);
    const seen = heard(document.body).flatMap(({ text, where, element }) => {
      const figures = element.closest('.code, .hex') === null ? (text.match(FIGURES) ?? []).filter((figure) => hidden.has(figure)) : [];
      return figures.length === 0 ? [] : [`${figures.join(' ')} in ${where}${text.slice(0, 80)}`];
    });
    expect([...new Set(seen)]).toEqual([]);
  });
});

test('the balance is five dots, and said as a word', async () => {
  DISPLAY.hide_amounts = true;
  const window = await openWindow('sandbox');
  const balance = byTestId(window, 'balance');
  expect(textOf(balance)).toBe('•••••');
  expect(balance.getAttribute('aria-label')).toBe('hidden');
  expect(window.querySelector('desc')?.textContent).not.toMatch(/[\d]{3}/);
});

test('shown again, nothing of the hiding is left', async () => {
  DISPLAY.hide_amounts = true;
  const window = await openWindow('sandbox');
  byTestId(window, 'hide-amounts').click();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(textOf(byTestId(window, 'balance'))).toBe('245,310.45');
  expect(window.querySelector('[data-masked]')).toBeNull();
});

test('nothing is signed whose figures do not show', async () => {
  DISPLAY.hide_amounts = true;
  purchase.change();
  const window = await openWindow('sandbox', 'buy');
  await vi.waitFor(() => expect(byTestId(window, 'buy-review')).toHaveProperty('disabled', false), 10_000);
  await click('buy-review')(window);
  expect((await shown(window, 'review-pay')).hasAttribute('disabled')).toBe(true);
  await click('review-show')(window);
  expect(byTestId(window, 'review-pay').hasAttribute('disabled')).toBe(false);
});
