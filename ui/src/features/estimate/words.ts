// Words for the codes that the engine and the ledger use. A code without a word shows as it is, never as nothing.
import type { EvidenceLevel, LeftOutView, ModelKind, ParameterName, PlanRowView } from '../../backend';
import { count, either, usd, usdExact } from '../../format';
import { m } from '../../i18n';
import type { Fault } from './draft.svelte';

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
  audio_input: m.estimate_cap_audio_input,
  video_input: m.estimate_cap_video_input,
  structured_output: m.estimate_cap_structured_output,
  web_search: m.estimate_cap_web_search,
  code: m.estimate_cap_code,
};
const VARIANTS: Words = { text_to_video: m.estimate_variant_text_to_video, image_to_video: m.estimate_variant_image_to_video };
const METERS: Words = {
  input_tokens: m.estimate_meter_input_tokens,
  output_tokens: m.estimate_meter_output_tokens,
  cache_read_tokens: m.estimate_meter_cache_read_tokens,
  cache_write_5m_tokens: m.estimate_meter_cache_write_5m_tokens,
  cache_write_1h_tokens: m.estimate_meter_cache_write_1h_tokens,
  input_audio_tokens: m.estimate_meter_input_audio_tokens,
  output_audio_tokens: m.estimate_meter_output_audio_tokens,
  input_image_tokens: m.estimate_meter_input_image_tokens,
  output_image_tokens: m.estimate_meter_output_image_tokens,
  reasoning_tokens: m.estimate_meter_reasoning_tokens,
  requests: m.estimate_meter_requests,
  calls: m.estimate_meter_calls,
  tool_calls: m.estimate_meter_tool_calls,
  web_searches: m.estimate_meter_web_searches,
  web_scrapes: m.estimate_meter_web_scrapes,
  images: m.estimate_meter_images,
  input_images: m.estimate_meter_input_images,
  megapixels: m.estimate_meter_megapixels,
  characters: m.estimate_meter_characters,
  audio_seconds: m.estimate_meter_audio_seconds,
  video_seconds: m.estimate_meter_video_seconds,
  generations: m.estimate_meter_generations,
  extra: m.estimate_meter_extra,
  to_cents: m.estimate_meter_to_cents,
  rounded: m.estimate_meter_rounded,
  to_credits: m.estimate_meter_to_credits,
  field: m.estimate_meter_field,
  channel: m.estimate_meter_channel,
  user: m.estimate_meter_user,
  runs: m.estimate_meter_runs,
  display: m.estimate_meter_display,
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
const BOUNDS: Words = { output_least: m.estimate_output_least, output_tokens: m.estimate_output_likely, output_most: m.estimate_output_most };

const worded = (words: Words, code: string): string => words[code]?.() ?? code;

export const capability = (code: string): string => worded(CAPABILITIES, code);
export const variant = (code: string): string => worded(VARIANTS, code);
export const meter = (code: string): string => worded(METERS, code);
export const boundName = (code: string): string => worded(BOUNDS, code);
export const countName = (code: string): string => worded(COUNTS, code);

const KINDS: Record<ModelKind, () => string> = {
  chat: m.estimate_kind_chat,
  image: m.estimate_kind_image,
  video: m.estimate_kind_video,
  audio: m.estimate_kind_audio,
  embedding: m.estimate_kind_embedding,
  search: m.estimate_kind_search,
  tool: m.estimate_kind_tool,
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

/** What a model makes, where it does not make all that others do: "Sora 2 makes 4, 8 or 12 s." */
export function whyRefused(parameter: ParameterName, allowed: string[], name: string): string {
  if (parameter === 'audio') return allowed[0] === 'on' ? m.estimate_refused_silent({ name }) : m.estimate_refused_sound({ name });
  const values = either(allowed);
  return parameter === 'seconds' ? m.estimate_refused_seconds({ name, values }) : m.estimate_refused_resolution({ name, values });
}

const FAULTS = { empty: m.estimate_count_empty, whole: m.estimate_count_whole, order: m.estimate_count_order };

/** Why a typed count is refused. */
export function countFault(why: Fault, least: string, most: string): string {
  return why === 'range' ? m.estimate_count_range({ least, most }) : FAULTS[why]();
}

/** Dollars of a run: cents, and below one cent every digit, so that no cost is rounded to nothing or up. */
export const runUsd = (amount: string): string => (/^0*\.00\d*[1-9]/u.test(amount) ? usdExact(amount) : usd(amount));

/** Dollars with every digit: a rate or a charge before rounding is never shown rounded. */
export { usdExact };

const EVIDENCE: Record<EvidenceLevel, { name: () => string; chip: string }> = {
  live_quote: { name: m.estimate_evidence_live_quote, chip: 'live' },
  cached_quote: { name: m.estimate_evidence_cached_quote, chip: 'aged' },
  rate_card: { name: m.estimate_evidence_rate_card, chip: 'card' },
  interpolated: { name: m.estimate_evidence_interpolated, chip: 'assumed' },
  assumed_linear: { name: m.estimate_evidence_assumed_linear, chip: 'assumed' },
};
export const evidenceName = (level: EvidenceLevel): string => EVIDENCE[level].name();
export const evidenceChip = (level: EvidenceLevel): string => EVIDENCE[level].chip;

/** Why a model cannot do a job. */
export function leftOutName({ reason, params }: LeftOutView, date: (on: string) => string): string {
  const allowed = (params['allowed'] ?? '').split(', ').filter((value) => value !== '');
  switch (reason) {
    case 'retired':
      return m.estimate_out_retired({ date: date(params['on'] ?? '') });
    case 'not_yet':
      return m.estimate_out_not_yet({ date: date(params['on'] ?? '') });
    case 'impossible':
      if (params['parameter'] === 'seconds' && allowed.length > 0) return m.estimate_out_seconds({ values: either(allowed) });
      if (params['parameter'] === 'resolution') return allowed.length > 0 ? m.estimate_out_resolution({ values: either(allowed) }) : m.estimate_out_no_resolution();
      if (params['parameter'] === 'audio') return allowed[0] === 'on' ? m.estimate_audio_always() : m.estimate_audio_never();
      return m.estimate_out_impossible();
    case 'capability_missing':
      return m.estimate_out_impossible();
    case 'too_long':
      return m.estimate_out_too_long();
    default:
      return m.estimate_out_no_price();
  }
}

const RUNS: Record<ModelKind, { one: () => string; many: (said: { count: string }) => string }> = {
  chat: { one: m.estimate_plan_chat_one, many: m.estimate_plan_chat },
  image: { one: m.estimate_plan_image_one, many: m.estimate_plan_image },
  video: { one: m.estimate_plan_video_one, many: m.estimate_plan_video },
  audio: { one: m.estimate_plan_audio_one, many: m.estimate_plan_audio },
  embedding: { one: m.estimate_plan_embedding_one, many: m.estimate_plan_embedding },
  search: { one: m.estimate_plan_search_one, many: m.estimate_plan_search },
  tool: { one: m.estimate_plan_search_one, many: m.estimate_plan_search },
};

/** How many runs fit, in the words of their kind: "18 images", "1 clip". */
export function runsOf({ kind, fit, request }: PlanRowView): string {
  const runs = fit?.count ?? '0';
  // One run of the plan may itself be several, or several pictures.
  const isOne = request.runs === 1 && (request.parameters.kind !== 'image' || request.parameters.images === '1');
  if (!isOne) return runs === '1' ? m.estimate_plan_time_one() : m.estimate_plan_times({ count: count(runs) });
  return runs === '1' ? RUNS[kind].one() : RUNS[kind].many({ count: count(runs) });
}
