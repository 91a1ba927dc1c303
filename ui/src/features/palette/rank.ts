/**
 * Which entries a typed text finds, and in which order. The rules can be said in a sentence each: a title that is what was typed; a title that begins with it; every
 * word begins a word of the title; every word begins a word of what else is known of it; every word stands somewhere in it. Only when nothing fits are letters
 * looked for in their order, from the beginning of a word.
 */

export interface Ranked {
  /** What is shown in strong letters. */
  title: string;
  /** What else it is found by. */
  also: string;
}

const FUZZY = 5;

const plain = (text: string): string => text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
/** Words, by what separates them; a number within a word is one too: `Qwen3` is found by `3`. */
const wordsOf = (text: string): string[] => text.split(/[^\p{L}\p{N}.]+/u).filter((word) => word !== '');

/** The words of a typed text. */
export const typedWords = (text: string): string[] => plain(text).split(/\s+/u).filter((word) => word !== '');

const begins = (words: string[], typed: string): boolean => words.some((word) => word.startsWith(typed));

/** How well one entry fits, 0 the best; none when it does not. */
export function fit(entry: Ranked, typed: string): number | null {
  const words = typedWords(typed);
  const whole = words.join(' ');
  const title = plain(entry.title);
  const inTitle = wordsOf(title);
  const inAll = [...inTitle, ...wordsOf(plain(entry.also))];
  if (words.length === 0 || title === whole) return 0;
  if (title.startsWith(whole)) return 1;
  if (words.every((word) => begins(inTitle, word))) return 2;
  if (words.every((word) => begins(inAll, word))) return 3;
  const all = `${title} ${plain(entry.also)}`;
  if (words.every((word) => all.includes(word))) return 4;
  return hasInOrder(title, words.join('')) ? FUZZY : null;
}

/** Whether the letters stand in the text in this order, the first at the beginning of a word. */
function hasInOrder(text: string, letters: string): boolean {
  if (letters.length < 2) return false;
  for (let start = 0; start < text.length; start += 1) {
    if (text[start] !== letters[0] || (start > 0 && text[start - 1] !== ' ')) continue;
    let found = 0;
    for (let at = start; at < text.length && found < letters.length; at += 1) if (text[at] === letters[found]) found += 1;
    if (found === letters.length) return true;
  }
  return false;
}

/** Entries that fit, the best first, equal ones as they came. */
export function ranked<T extends Ranked>(entries: readonly T[], typed: string): { entry: T; rank: number }[] {
  const fitting = entries.flatMap((entry) => {
    const rank = fit(entry, typed);
    return rank === null ? [] : [{ entry, rank }];
  });
  const sure = fitting.filter(({ rank }) => rank < FUZZY);
  return (sure.length > 0 ? sure : fitting).sort((a, b) => a.rank - b.rank);
}
