/** Every visible string, typed: `m.key({ param })`. Compiled from messages/ by `npm run messages`. */
export { m } from './generated/messages.js';

/** The language that numbers and dates are written in. */
export const LOCALE = 'en-GB';
