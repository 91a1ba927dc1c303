/** What the app's engine says of a run, a price or a node, which it does in English: put into the language of the window where the sentence is known, else as it came. */
import { count } from '../format';
import { m } from '../i18n';

type Say = (...found: string[]) => string;

const number = (text: string): string => {
  const digits = text.replaceAll(',', '');
  return /^\d+$/.test(digits) ? count(digits) : text;
};

/** Parts of a list with commas. */
const PARTS: [RegExp, Say][] = [
  [/^([\d.,]+) in$/, (n) => m.meter_input_tokens({ count: number(n) })],
  [/^([\d.,]+) out$/, (n) => m.meter_output_tokens({ count: number(n) })],
  [/^([\d.,]+) from cache$/, (n) => m.engine_from_cache({ count: number(n) })],
  [/^([\d.,]+) to cache \(5 min\)$/, (n) => m.engine_to_cache_5m({ count: number(n) })],
  [/^([\d.,]+) to cache \(1 h\)$/, (n) => m.engine_to_cache_1h({ count: number(n) })],
  [/^([\d.,]+) reasoning$/, (n) => m.meter_reasoning_tokens({ count: number(n) })],
  [/^([\d.,]+) s$/, (n) => m.meter_seconds({ count: number(n) })],
  [/^([\d.,]+) MP$/, (n) => m.meter_megapixels({ count: number(n) })],
  [/^1 image$/, () => m.meter_image_one()],
  [/^([\d.,]+) images$/, (n) => m.meter_images({ count: number(n) })],
  [/^1 image sent$/, () => m.meter_input_image_one()],
  [/^([\d.,]+) images sent$/, (n) => m.meter_input_images({ count: number(n) })],
  [/^1 character$/, () => m.engine_character_one()],
  [/^([\d.,]+) characters$/, (n) => m.meter_characters({ count: number(n) })],
  [/^1 search$/, () => m.meter_search_one()],
  [/^([\d.,]+) searches$/, (n) => m.meter_searches({ count: number(n) })],
  [/^1 scrape$/, () => m.meter_scrape_one()],
  [/^([\d.,]+) scrapes$/, (n) => m.meter_scrapes({ count: number(n) })],
  [/^1 call$/, () => m.meter_call_one()],
  [/^([\d.,]+) calls$/, (n) => m.meter_calls({ count: number(n) })],
  [/^1 request$/, () => m.meter_request_one()],
  [/^([\d.,]+) requests$/, (n) => m.meter_requests({ count: number(n) })],
  [/^1 generation$/, () => m.meter_generation_one()],
  [/^([\d.,]+) generations$/, (n) => m.meter_generations({ count: number(n) })],
  [/^sound$/, () => m.meter_audio_on()],
  [/^sound on$/, () => m.engine_sound_on()],
  [/^no sound$/, () => m.meter_audio_off()],
  [/^each$/, () => m.engine_each()],
  [/^per ([\d,]+)$/, (n) => m.engine_per({ count: number(n) })],
  [/^billed as (.+)$/, (what) => m.engine_billed_as({ what })],
  [/^([\d.,]+) of ([\d.,]+) included$/, (part, whole) => m.engine_included({ part: number(part ?? ''), whole: number(whole ?? '') })],
  [/^to whole cents$/, () => m.engine_to_cents()],
  [/^to (\d+) decimals$/, (n) => m.engine_to_decimals({ count: n })],
  [/^down$/, () => m.engine_down()],
  [/^up$/, () => m.engine_up()],
  [/^half up$/, () => m.engine_half_up()],
  [/^half to even$/, () => m.engine_half_even()],
  [/^as reported$/, () => m.engine_reported()],
  [/^each run costs the same$/, () => m.engine_same()],
  [/^printed price of ([\d.]+) s$/, (n) => m.engine_printed({ seconds: n })],
  [/^([\d.,]+) (AiSpace )?credits for 1 USD$/, (n) => m.engine_to_dollar({ count: number(n) })],
];

/** Sentences that hold a comma, or are a note of their own. */
const WHOLE: [RegExp, Say][] = [
  [/^no answer( before the deadline)?$/, () => m.engine_no_answer()],
  [/^answered HTTP (\d+)$/, (status) => m.engine_http({ status })],
  [/^answers no more for now \(HTTP 429\)$|^asks to wait: too many calls$/, () => m.engine_too_many()],
  [/^is on chain (\d+), not (\d+)$/, (found, expected) => m.engine_wrong_chain({ found: found ?? '', expected: expected ?? '' })],
  [/^one price, whatever the clip$/, () => m.engine_one_price()],
  [/^Printed in the rate card of ([\d-]+) for exactly this clip\.$/, (date) => m.engine_note_printed({ date })],
  [/^Printed in the rate card of ([\d-]+): one price, whatever the clip\.$/, (date) => m.engine_note_one_price({ date })],
  [/^Printed in the rate card of ([\d-]+): so much per second\.$/, (date) => m.engine_note_per_second({ date })],
  [/^The price of exactly this clip was seen( \(.+\))?\.$/, (from) => m.engine_note_seen({ from: from ?? '' })],
  [/^From a published price per second( \(.+\))?\.$/, (from) => m.engine_note_published({ from: from ?? '' })],
  [/^From the rate of (\d+) prices seen for this resolution and sound( \(.+\))?\.$/, (n, from) => m.engine_note_between({ count: n, from: from ?? '' })],
  [/^From the one price seen for this resolution and sound( \(.+\))?; that a clip costs in proportion to its length is assumed\.$/, (from) => m.engine_note_one({ from: from ?? '' })],
  [/^No price was seen for this resolution and sound; the rate is carried over( \(.+\))?\.$/, (from) => m.engine_note_carried({ from: from ?? '' })],
];

function said(text: string, table: [RegExp, Say][]): string | null {
  for (const [form, say] of table) {
    const found = form.exec(text);
    if (found !== null) return say(...found.slice(1));
  }
  return null;
}

/** A sentence or a list of the engine in the language of the window. */
export function engineWords(text: string): string {
  const whole = said(text, WHOLE);
  if (whole !== null) return whole;
  const parts = text.split(', ').map((part) => ({ part, known: said(part, PARTS) }));
  if (parts.every(({ known }) => known === null)) return text;
  return parts.map(({ part, known }) => known ?? part).join(m.common_comma());
}
