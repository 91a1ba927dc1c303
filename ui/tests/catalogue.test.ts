/** No word that a person sees or hears stands outside of the catalogue: every screen in a made-up language whose messages are in brackets. */
import { afterEach, describe, expect, test } from 'vitest';
import { DISPLAY, type Scenario } from '../recorded/backend';
import type { Language } from '../src/backend';
import type { Route } from '../src/state/route.svelte';
import { heard, listening, type Said } from './listening';
import { NOWHERE, STOPS } from './stops';
import { openWindow } from './window';

afterEach(() => (DISPLAY.language = 'en'));

/** Words that are the same in every language: units, names of things, what is printed on keys. */
const SAME = new Set(['ETH', 'USD', 'UTC', 'CNY', 'MP', 'AiSpace', 'Wallet', 'GMT', 'CET', 'CEST', 'ISO', 'CSV', 'JSON', 'k', 'M', 'B', 'x']);
const DATES = new Set(
  Array.from({ length: 365 }, (_, day) => new Date(Date.UTC(2026, 0, 1 + day))).flatMap((date) =>
    (['short', 'long'] as const).flatMap((form) => [
      date.toLocaleDateString('en-GB', { month: form, timeZone: 'UTC' }).replace('Sept', 'Sep'),
      date.toLocaleDateString('en-GB', { weekday: form, timeZone: 'UTC' }),
    ]),
  ),
);

const WORD = /[\p{L}\p{N}_]+/gu;

/** The words of what the backend said; a word of small letters alone may be the name of a state and does not count. */
function wordsOf(said: Said): Set<string> {
  return new Set([...said.keys()].filter((text) => !/^[a-z_]+$/.test(text)).flatMap((text) => text.match(WORD) ?? []));
}

function outside(text: string, known: Set<string>, whole: string): string[] {
  let rest = text;
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replace(/⟦[^⟦⟧]*⟧/gu, ' ');
  }
  return (rest.match(WORD) ?? []).filter((word) => {
    if (!/\p{L}/u.test(word) || SAME.has(word) || DATES.has(word) || known.has(word)) return false;
    // Hashes, addresses and pairing codes stand in groups; an axis is marked in thousands.
    return !(/^(0x)?[\da-f]*$/i.test(word) || /^[\dA-Z]{1,3}$/.test(word) ? whole.includes(word) : /^\d+[kMB]$/.test(word));
  });
}

/** What a person sees or hears below an element that is not from the catalogue, each with where it stands. */
function foreign(root: Element, said: Said): string[] {
  const known = wordsOf(said);
  const whole = [...said.keys()].join(' ');
  const found = heard(root).flatMap(({ text, where, element }) => {
    const words = element.closest('kbd, .code') === null ? outside(text, known, whole) : [];
    return words.length === 0 ? [] : [`${words.join(' ')} in ${where}${text.slice(0, 80)}`];
  });
  return [...new Set(found)];
}

describe('only words of the catalogue', () => {
  test.each(STOPS)('$scenario $screen $steps', async ({ scenario, screen, steps }) => {
    DISPLAY.language = 'en-XA' as Language;
    const { calls, said } = listening(scenario as Scenario);
    const window = await openWindow(scenario as Scenario, screen as Route, calls);
    await steps.reduce((before, step) => before.then(() => step(window)), Promise.resolve());
    expect(document.documentElement.lang).toBe('en-XA');
    expect(document.body.textContent).toContain('⟦');
    expect(foreign(document.body, said)).toEqual([]);
  });

  test('and the check sees those that are not', () => {
    NOWHERE.innerHTML = '<p aria-label="Loud">⟦Fine ⟦ 12 ⟧⟧ Mon 23 Nov<b>Bare words</b></p>';
    expect(foreign(NOWHERE, new Map([['other words', new Set([''])]]))).toEqual(['Loud in <p class="">Loud', 'Bare in <b class="">Bare words']);
  });
});
