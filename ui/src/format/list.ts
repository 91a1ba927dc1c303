import { formats } from '../i18n';
import { kept } from './kept';

const lists = kept((formats, type: Intl.ListFormatType) => new Intl.ListFormat(formats, { type }));

/** `Coinbase Exchange, Kraken and Bitstamp` */
export const listed = (names: string[]): string => lists(formats(), 'conjunction').format(names);

/** Values that one may choose from: "4, 8 or 12". */
export const either = (values: string[]): string => lists(formats(), 'disjunction').format(values);
