import * as sentences from '#messages/errors';
import type { ErrorView } from '../backend';
import { amountExact, creditsShort, ethAtLeast, ethAtMost } from '../format';
import { engineWords } from './engine-words';

/** The three sentences of a refusal. */
export type ErrorWords = { what: string; money: string; todo: string };

type Sentence = (params: Record<string, string>) => string;

/** Figures as people read them; all else is said as it came. */
const FIGURES: Record<string, (value: string) => string> = {
  needed_eth: ethAtLeast,
  short_eth: ethAtLeast,
  balance_eth: ethAtMost,
  needed_credits: creditsShort,
  available_credits: creditsShort,
  short_credits: creditsShort,
};
/** Refusals whose parameters are dollars, all of them. */
const IN_DOLLARS = ['cap_exceeded', 'price_disagrees'];
const isDecimal = (value: string): boolean => /^\d+(\.\d+)?$/.test(value);

/** The catalogue's words for a refusal; a test proves that every code has all three. */
export function errorWords(error: ErrorView): ErrorWords {
  const catalogue = sentences as unknown as Record<string, Sentence | undefined>;
  const params = Object.fromEntries(Object.entries(error.params).map(([name, value]) => [name, figure(error.code, name, value ?? '')]));
  const say = (part: keyof ErrorWords) => catalogue[`error_${error.code}_${part}`]?.(params) ?? '';
  return { what: say('what'), money: say('money'), todo: say('todo') };
}

function figure(code: string, name: string, value: string): string {
  if (name === 'reason') return engineWords(value);
  if (!isDecimal(value)) return value;
  const write = FIGURES[name] ?? (IN_DOLLARS.includes(code) ? amountExact : undefined);
  return write?.(value) ?? value;
}
