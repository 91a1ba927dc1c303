import { count } from '../format';
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
    .join(', ');
}

/** A clip is said as `4 s, 720p, sound`, whatever order its meters came in. */
const ORDER = ['seconds', 'video_seconds', 'resolution', 'sound', 'audio'];

function place(name: string): number {
  return ORDER.indexOf(name);
}

function words(name: string, value: string): string {
  const shown = /^\d+$/.test(value) ? count(value) : value;
  switch (name) {
    case 'input_tokens':
      return m.meter_input_tokens({ count: shown });
    case 'output_tokens':
      return m.meter_output_tokens({ count: shown });
    case 'images':
    case 'image_generation':
      return value === '1' ? m.meter_image_one() : m.meter_images({ count: shown });
    case 'characters':
      return m.meter_characters({ count: shown });
    case 'seconds':
    case 'video_seconds':
      return m.meter_seconds({ count: shown });
    case 'video_generation':
    case 'videos':
      return value === '1' ? m.meter_video_one() : m.meter_videos({ count: shown });
    case 'resolution':
      return value;
    case 'audio':
    case 'sound':
      return value === 'on' || value === 'true' ? m.meter_audio_on() : m.meter_audio_off();
    case 'web_searches':
      return value === '1' ? m.meter_search_one() : m.meter_searches({ count: shown });
    case 'web_scrapes':
      return value === '1' ? m.meter_scrape_one() : m.meter_scrapes({ count: shown });
    case 'calls':
    case 'requests':
      return value === '1' ? m.meter_call_one() : m.meter_calls({ count: shown });
    case 'runs':
      return value === '1' ? '' : m.meter_runs({ count: shown });
    default:
      return `${name.replaceAll('_', ' ')} ${shown}`;
  }
}
