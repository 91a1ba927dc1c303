import { render } from '@testing-library/svelte';
import { describe, expect, test } from 'vitest';
import source from '../src/backend/bindings.ts?raw';
import catalogue from '../messages/en/errors.json';
import ErrorNote from '../src/components/ErrorNote.svelte';
import { errorWords } from '../src/components/error-words';
import type { AppErrorCode, ErrorView } from '../src/backend';

/** The codes as Rust exports them, with the parameters that their documentation names. */
function codes(): { code: AppErrorCode; params: string[] }[] {
  const union = /export type AppErrorCode =(.*?)";/s.exec(source)?.[0] ?? '';
  return [...union.matchAll(/\/\*\*(.*?)\*\/\s*"(\w+)"/gs)].map((found) => ({
    code: found[2] as AppErrorCode,
    params: [...(found[1] ?? '').matchAll(/`(\w+)`/g)].map((name) => name[1] ?? ''),
  }));
}

const ALL = codes();
const sentences = catalogue as Record<string, string>;

test('the union was read', () => expect(ALL.length).toBeGreaterThan(30));

describe.each(ALL)('$code', ({ code, params }) => {
  const error: ErrorView = { code, params: Object.fromEntries(params.map((name) => [name, `<${name}>`])) };

  test('says what happened, what it means for the money and what to do', () => {
    const { what, money, todo } = errorWords(error);
    for (const sentence of [what, money, todo]) expect(sentence).toMatch(/[.?>]$/);
    expect(new Set([what, money, todo]).size).toBe(3);
  });

  test('uses only parameters that Rust sends', () => {
    const said = ['what', 'money', 'todo'].map((part) => sentences[`error_${code}_${part}`] ?? '').join(' ');
    const used = [...said.matchAll(/\{(\w+)\}/g)].map((name) => name[1]);
    expect(params).toEqual(expect.arrayContaining(used));
    expect(`${Object.values(errorWords(error)).join(' ')}`).not.toContain('undefined');
  });
});

test('no words for codes that do not exist', () => {
  const known = new Set(ALL.flatMap(({ code }) => [`error_${code}_what`, `error_${code}_money`, `error_${code}_todo`]));
  expect(Object.keys(sentences).filter((key) => /^error_.*_(what|money|todo)$/.test(key) && !known.has(key))).toEqual([]);
});

test('the note carries its code and its words', () => {
  const { getByTestId } = render(ErrorNote, { error: { code: 'key_refused', params: {} } });
  const note = getByTestId('error-banner');
  expect(note.dataset['code']).toBe('key_refused');
  expect(note.getAttribute('role')).toBe('alert');
  expect(note.textContent).toContain(sentences['error_key_refused_todo']);
});
