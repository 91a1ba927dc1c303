/** Every visible string, typed: `m.key({ param })`. Compiled from messages/ by `npm run messages`. */
export { m } from '#messages';
export { formats, speech, type Locale } from './speech.svelte';
