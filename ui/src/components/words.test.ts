import { expect, test } from 'vitest';
import { BATCHES, terraceOf } from '../../recorded/model';
import { describe as describeTerrace } from './describe';
import { meterWords } from './meters';

test.each([
  [['resolution=720p', 'seconds=4', 'sound=on'], '4 s, 720p, sound'],
  [['input_tokens=182000', 'output_tokens=24120'], '182,000 in, 24,120 out'],
  [['images=1'], '1 image'],
  [['calls=6'], '6 calls'],
  [['input_tokens=500', 'output_tokens=200', 'web_scrapes=2', 'web_searches=1'], '500 in, 200 out, 2 scrapes, 1 search'],
  [['generations=1'], '1 generation'],
  [['cache_read_tokens=1200', 'megapixels=1.5', 'tool_calls=1'], '1,200 from the cache, 1.5 MP, 1 tool call'],
  [['something_new=3'], 'something new 3'],
  [[], ''],
])('%j is said as %s', (meters, words) => expect(meterWords(meters)).toBe(words));

test('the terrace is said in words', () => {
  const said = describeTerrace(terraceOf(BATCHES));
  expect(said).toContain('44,310.45 credits, ETH purchase, end Mon 23 Nov,');
  expect(said).toContain('About 14,350 of them lapse at your pace.');
  expect(said).toMatch(/At your pace the balance is empty Wed 16 Dec/);
  expect(describeTerrace(terraceOf([]))).toBe('No batch yet.');
});
