import { count, isOne } from '../format';
import { m } from '../i18n';

/** What a run was, from its meters: `video_seconds=4` becomes `4 s`. Unknown meters keep their name. */
export function meterWords(meters: string[]): string {
  return meters
    .map((meter) => {
      const cut = meter.indexOf('=');
      return cut < 0 ? { name: meter, value: '' } : { name: meter.slice(0, cut), value: meter.slice(cut + 1) };
    })
    .sort((one, other) => place(one.name) - place(other.name))
    .map(({ name, value }) => words(name, value))
    .filter((word) => word !== '')
    .join(m.common_comma());
}

/** A clip is said as `4 s, 720p, sound`, whatever order its meters came in. */
const ORDER = ['seconds', 'video_seconds', 'resolution', 'sound', 'audio'];

function place(name: string): number {
  return ORDER.indexOf(name);
}

type Counted = { many: (said: { count: string }) => string; one?: () => string };

/** Counts by their names in the log; a count without a word for one says one as it says many. */
const COUNTED: Record<string, Counted | undefined> = {
  input_tokens: { many: m.meter_input_tokens },
  output_tokens: { many: m.meter_output_tokens },
  cache_read_tokens: { many: m.meter_cache_read_tokens },
  cache_write_5m_tokens: { many: m.meter_cache_write_5m_tokens },
  cache_write_1h_tokens: { many: m.meter_cache_write_1h_tokens },
  input_audio_tokens: { many: m.meter_input_audio_tokens },
  output_audio_tokens: { many: m.meter_output_audio_tokens },
  input_image_tokens: { many: m.meter_input_image_tokens },
  output_image_tokens: { many: m.meter_output_image_tokens },
  reasoning_tokens: { many: m.meter_reasoning_tokens },
  requests: { many: m.meter_requests, one: m.meter_request_one },
  calls: { many: m.meter_calls, one: m.meter_call_one },
  tool_calls: { many: m.meter_tool_calls, one: m.meter_tool_call_one },
  web_searches: { many: m.meter_searches, one: m.meter_search_one },
  web_scrapes: { many: m.meter_scrapes, one: m.meter_scrape_one },
  images: { many: m.meter_images, one: m.meter_image_one },
  image_generation: { many: m.meter_images, one: m.meter_image_one },
  input_images: { many: m.meter_input_images, one: m.meter_input_image_one },
  megapixels: { many: m.meter_megapixels },
  characters: { many: m.meter_characters },
  seconds: { many: m.meter_seconds },
  audio_seconds: { many: m.meter_seconds },
  video_seconds: { many: m.meter_seconds },
  generations: { many: m.meter_generations, one: m.meter_generation_one },
  videos: { many: m.meter_videos, one: m.meter_video_one },
  runs: { many: m.meter_runs, one: () => '' },
};

function words(name: string, value: string): string {
  const shown = /^\d+$/.test(value) ? count(value) : value;
  const counted = COUNTED[name];
  if (counted !== undefined) return isOne(value) && counted.one !== undefined ? counted.one() : counted.many({ count: shown });
  switch (name) {
    case 'resolution':
      return value;
    case 'audio':
    case 'sound':
      return value === 'on' || value === 'true' ? m.meter_audio_on() : m.meter_audio_off();
    default:
      return `${name.replaceAll('_', ' ')} ${shown}`;
  }
}
