import { expect, test } from 'vitest';
import { fit, ranked } from './rank';

const named = (title: string, also = '') => ({ title, also });
const found = (typed: string, ...entries: ReturnType<typeof named>[]) => ranked(entries, typed).map(({ entry }) => entry.title);

test.each([
  ['settings', 'Settings', 0],
  ['set', 'Settings', 1],
  ['now', 'Sync now', 2],
  ['now sy', 'Sync now', 2],
  ['ttings', 'Settings', 4],
  ['stgs', 'Settings', 5],
  ['xyz', 'Settings', null],
  ['', 'Settings', 0],
])('%s finds %s as %s', (typed, title, rank) => expect(fit(named(title), typed)).toBe(rank));

test('what else is known of it counts less than its name', () => expect(found('dark', named('Look', 'dark light'), named('Dark appearance'))).toEqual(['Dark appearance', 'Look']));

test('equal ones stay as they came', () => expect(found('s', named('Sora 2'), named('Sora 2 Pro'), named('Settings'))).toEqual(['Sora 2', 'Sora 2 Pro', 'Settings']));

test('letters in their order count only when nothing else fits', () => {
  expect(found('se', named('Save estimate'), named('Settings'))).toEqual(['Settings']);
  expect(found('svcf', named('Save calendar file'), named('Settings'))).toEqual(['Save calendar file']);
  expect(found('veo', named('Veo 3'), named('View each order'))).toEqual(['Veo 3']);
});

test('the first letter is one of a word', () => expect(fit(named('Overview'), 'vw')).toBeNull());

test('case and accents do not matter', () => expect(fit(named('Réglages'), 'REG')).toBe(1));

test('a script without spaces is found within', () => expect(fit(named('同步账户'), '账户')).toBe(4));
