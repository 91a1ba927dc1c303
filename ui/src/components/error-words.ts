import type { ErrorView } from '../backend';
import { m } from '../i18n';

/** The three sentences of a refusal. */
export type ErrorWords = { what: string; money: string; todo: string };

type Sentence = (params: Record<string, string>) => string;

/** The catalogue's words for a refusal; a test proves that every code has all three. */
export function errorWords(error: ErrorView): ErrorWords {
  const catalogue = m as unknown as Record<string, Sentence | undefined>;
  const say = (part: keyof ErrorWords) => catalogue[`error_${error.code}_${part}`]?.(error.params) ?? '';
  return { what: say('what'), money: say('money'), todo: say('todo') };
}
