// A made-up language: every word of a message with accents, a third longer and in brackets, so that text which is not from the catalogue, or for
// which there is no room, shows.
const LETTERS = { a: 'á', c: 'ç', e: 'é', i: 'í', n: 'ñ', o: 'ó', s: 'š', u: 'ú', y: 'ý', z: 'ž', A: 'Á', C: 'Ç', E: 'É', I: 'Í', N: 'Ñ', O: 'Ó', S: 'Š', U: 'Ú', Y: 'Ý', Z: 'Ž' };

export const OPEN = '⟦';
export const CLOSE = '⟧';

/** One text of a message; what stands in braces is left alone. */
export function pseudo(text) {
  const parts = text.split(/(\{[^}]*\})/u);
  const said = parts.map((part) => (part.startsWith('{') ? part : part.replace(/[a-z]/giu, (letter) => LETTERS[letter] ?? letter))).join('');
  const length = parts.filter((part) => !part.startsWith('{')).join('').length;
  const more = 'ém ipšúm dólór šít ámét '.repeat(20).slice(0, Math.ceil(length * 0.35));
  return `${OPEN}${said}${more === '' ? '' : ` ${more.trim()}`}${CLOSE}`;
}

/** Every text of a file of messages, those of plural forms too. */
export function mapMessages(messages, change) {
  const mapped = (value) => {
    if (typeof value === 'string') return change(value);
    return value.map((form) => ({ ...form, match: Object.fromEntries(Object.entries(form.match).map(([when, text]) => [when, change(text)])) }));
  };
  return Object.fromEntries(Object.entries(messages).map(([key, value]) => [key, key === '$schema' ? value : mapped(value)]));
}
