/** Every language says the same things: each message of English, with the same placeholders, and nothing else. */
import { describe, expect, test } from 'vitest';
import settings from '../project.inlang/settings.json';

type Messages = Record<string, string>;

const files = import.meta.glob<Messages>('../messages/*/*.json', { eager: true, import: 'default' });

/** All messages of a language. */
function messages(locale: string): Messages {
  const own = Object.entries(files).filter(([path]) => path.startsWith(`../messages/${locale}/`));
  return Object.fromEntries(own.flatMap(([, messages]) => Object.entries(messages)).filter(([key]) => key !== '$schema'));
}

const placeholders = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

/** Names, units and codes that are the same in every language. */
const SAME = /^[\s\d.,:·•×+%\-/|]*(?:(?:\{\w+\}|AiSpace Wallet|WalletConnect|English|简体中文|ETH|USD|MP|gas|UTC|Base|CSV|JSON|k)[\s\d.,:·•×+=%\-/|]*)*$/;

const english = messages(settings.baseLocale);

describe.each(settings.locales.filter((one) => one !== settings.baseLocale))('%s', (locale) => {
  const own = messages(locale);

  test('lacks nothing', () => expect(Object.keys(english).filter((key) => own[key] === undefined)).toEqual([]));
  test('says nothing that English does not', () => expect(Object.keys(own).filter((key) => english[key] === undefined)).toEqual([]));
  test('has the same placeholders', () => {
    const differ = Object.entries(own).filter(([key, text]) => english[key] !== undefined && `${placeholders(text)}` !== `${placeholders(english[key])}`);
    expect(differ.map(([key]) => key)).toEqual([]);
  });
  test('leaves nothing in English', () => {
    const left = Object.entries(own).filter(([key, text]) => text === english[key] && !SAME.test(text));
    expect(left.map(([key, text]) => `${key}: ${text}`)).toEqual([]);
  });
  test('neither shouts nor begs', () => expect(Object.values(own).filter((text) => /[!！]|敬请|抱歉|哎呀/.test(text))).toEqual([]));
});
