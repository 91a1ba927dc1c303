/** Styles name places by the direction of writing, so that a language from right to left needs no second layout. */
import { expect, test } from 'vitest';

const styles = import.meta.glob<string>(['../src/**/*.css', '../src/**/*.svelte'], { eager: true, query: '?raw', import: 'default' });

const PHYSICAL = /(?<![\w-])(?:(?:margin|padding|border)-(?:left|right)(?![\w])|(?:text-align|float):\s*(?:left|right)\b|border-(?:top|bottom)-(?:left|right)-radius)/;
/** In the middle of the window, whatever the direction. */
const MIDDLE = /left: 50%/;

test('no style names left or right', () => {
  const found = Object.entries(styles).flatMap(([path, text]) =>
    text
      .split('\n')
      .filter((line) => (PHYSICAL.test(line) || (path.endsWith('.css') && /[;{]\s*(?:left|right):/.test(line))) && !MIDDLE.test(line))
      .map((line) => `${path}: ${line.trim().slice(0, 90)}`),
  );
  expect(found).toEqual([]);
});
