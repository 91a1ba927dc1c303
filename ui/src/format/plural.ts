import { formats } from '../i18n';
import { kept } from './kept';

const rules = kept((formats) => new Intl.PluralRules(formats));

/** Whether a count takes the form of one, as the language has it. */
export const isOne = (count: number | string): boolean => rules(formats(), undefined).select(Number(count)) === 'one';
