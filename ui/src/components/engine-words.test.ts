import { afterEach, expect, test } from 'vitest';
import { speech } from '../i18n';
import { engineWords } from './engine-words';

afterEach(() => (speech.locale = 'en'));

test.each([
  '4 s, 720p, sound',
  '1,240 in, 200 out, 1 search, 3 scrapes',
  'Venice Small, per 1,000,000',
  '720p, no sound',
  'to whole cents, half up',
  'one price, whatever the clip',
  'something of a newer engine, 7',
  'Printed in the rate card of 2026-01-01 for exactly this clip.',
])('in English “%s” stays as the engine says it', (text) => expect(engineWords(text)).toBe(text));

test.each([
  ['4 s, 720p, sound', '4 秒，720p，有声'],
  ['Venice Small, per 1,000,000', 'Venice Small，每 1,000,000'],
  ['to whole cents, half up', '取整到美分，四舍五入'],
  ['one price, whatever the clip', '统一价格，与片段无关'],
  ['From the rate of 3 prices seen for this resolution and sound (a grid).', '根据此分辨率和声音下见过的 3 个价格的单价 (a grid)。'],
  ['something of a newer engine, with a comma', 'something of a newer engine, with a comma'],
  ['is on chain 1, not 8453', '在链 1 上，而不是 8453'],
  ['no answer before the deadline', '没有答复'],
])('in Chinese “%s” is “%s”', (text, chinese) => {
  speech.locale = 'zh-Hans';
  expect(engineWords(text)).toBe(chinese);
});
