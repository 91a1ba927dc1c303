import { formats } from '../i18n';

/** Whether a count takes the form of one, as the language has it. */
export const isOne = (count: number | string): boolean => new Intl.PluralRules(formats()).select(Number(count)) === 'one';
