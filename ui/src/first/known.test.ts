import { afterEach, expect, test } from 'vitest';
import { recordedView } from '../../recorded/backend';
import { knownView } from './known';

const put = (text: string): void => {
  const element = document.createElement('script');
  element.type = 'application/json';
  element.id = 'known';
  element.textContent = text;
  document.body.append(element);
};

afterEach(() => document.getElementById('known')?.remove());

test('the view comes as the page has it', () => {
  const view = recordedView('sandbox');
  put(JSON.stringify(view).replaceAll('<', '\\u003c'));
  expect(knownView(document)).toEqual(view);
});

test('a page as it was built knows nothing', () => {
  expect(knownView(document)).toBeNull();
});
