// Words for the codes that the engine and the ledger use. A code without a word shows as it is, never as nothing.
import type { ModelKind, ParameterName } from '../../backend';
import { credits, usd } from '../../format';
import { m } from '../../i18n';

type Words = Record<string, (() => string) | undefined>;

const CAPABILITIES: Words = {
  text_to_video: m.estimate_cap_text_to_video,
  image_to_video: m.estimate_cap_image_to_video,
  function_calling: m.estimate_cap_function_calling,
  vision: m.estimate_cap_vision,
  reasoning: m.estimate_cap_reasoning,
  uncensored: m.estimate_cap_uncensored,
  beta: m.estimate_cap_beta,
  fixed_price: m.estimate_cap_fixed_price,
  sound: m.estimate_cap_sound,
};
const VARIANTS: Words = { text_to_video: m.estimate_variant_text_to_video, image_to_video: m.estimate_variant_image_to_video };
const METERS: Words = {
  input_tokens: m.estimate_meter_input_tokens,
  output_tokens: m.estimate_meter_output_tokens,
  images: m.estimate_meter_images,
  characters: m.estimate_meter_characters,
  video_seconds: m.estimate_meter_video_seconds,
  video_generation: m.estimate_meter_video_generation,
  web_searches: m.estimate_meter_web_searches,
  web_scrapes: m.estimate_meter_web_scrapes,
  to_cents: m.estimate_meter_to_cents,
  to_credits: m.estimate_meter_to_credits,
  runs: m.estimate_meter_runs,
};
const COUNTS: Words = {
  input_tokens: m.estimate_input_tokens,
  output_tokens: m.estimate_output_tokens,
  web_searches: m.estimate_web_searches,
  web_scrapes: m.estimate_web_scrapes,
  images: m.estimate_images,
  characters: m.estimate_characters,
  calls: m.estimate_calls,
};

const worded = (words: Words, code: string): string => words[code]?.() ?? code;

export const capability = (code: string): string => worded(CAPABILITIES, code);
export const variant = (code: string): string => worded(VARIANTS, code);
export const meter = (code: string): string => worded(METERS, code);
export const countName = (code: string): string => worded(COUNTS, code);

const KINDS: Record<ModelKind, () => string> = {
  chat: m.estimate_kind_chat,
  image: m.estimate_kind_image,
  video: m.estimate_kind_video,
  audio: m.estimate_kind_audio,
  embedding: m.estimate_kind_embedding,
  search: m.estimate_kind_search,
};
export const kindName = (kind: ModelKind): string => KINDS[kind]();

const PARAMETERS: Record<ParameterName, () => string> = {
  seconds: m.estimate_param_seconds,
  resolution: m.estimate_param_resolution,
  audio: m.estimate_param_audio,
};
export const parameterName = (parameter: ParameterName): string => PARAMETERS[parameter]();

/** A value of a parameter as a segment shows it. */
export function optionName(parameter: ParameterName, value: string): string {
  switch (parameter) {
    case 'seconds':
      return m.estimate_seconds({ seconds: value });
    case 'resolution':
      return value;
    case 'audio':
      return value === 'on' ? m.estimate_audio_on() : m.estimate_audio_off();
  }
}

/** The only value a parameter has, said as a fact. */
export function onlyName(parameter: ParameterName, value: string): string {
  if (parameter === 'audio') return value === 'on' ? m.estimate_audio_always() : m.estimate_audio_never();
  return optionName(parameter, value);
}

const FAULTS = { empty: m.estimate_count_empty, whole: m.estimate_count_whole };

/** Why a typed count is refused. */
export function countFault(why: 'empty' | 'whole' | 'range', least: string, most: string): string {
  return why === 'range' ? m.estimate_count_range({ least, most }) : FAULTS[why]();
}

/** Dollars of a run: cents, and below one cent every digit, so that no cost is rounded to nothing or up. */
export const runUsd = (amount: string): string => (/^0*\.00\d*[1-9]/u.test(amount) ? usdExact(amount) : usd(amount));

/** Dollars with every digit: a rate or a charge before rounding is never shown rounded. */
export const usdExact = (amount: string): string => `$${credits(amount)}`;
