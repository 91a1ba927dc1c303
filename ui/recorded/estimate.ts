/** Prices from the product's own rate card, worked out simply: good enough to draw the screen, never used by the product. */
import card from '../../crates/pricing/cards/aispace.json';
import type {
  BudgetSpanView, BudgetView, CatalogView, ChoiceView, DrawView, ErrorView, EstimateRequest, EstimateView, LineView, ModelKind, ModelView, RangeView, Result,
  RunParameters,
} from '../src/backend';
import { BATCHES, ends, instant, NOW, order, text, type Batch } from './model';

type Rate = { meter: string; amount: string; unit: string; per: string; when?: { resolution?: string; audio?: string } };
type Base = { usage: Record<string, unknown>; options?: { resolution?: string; audio?: string } };
type Entry = {
  id: string; name: string; kind: string; group?: string; capabilities: string[]; base: Base; rates: Rate[]; retired?: string;
  video?: { variant: string; pricing: string; seconds: number[]; resolutions: string[]; audio: string; printed: { credits: string } };
};
const ENTRIES = card.models as unknown as Entry[];
const PER: Record<string, number> = { '1': 1, '1k': 1000, '1K': 1000, '1M': 1_000_000 };

const counted = (value: unknown): string => (value === undefined ? '0' : String(value));

function defaults(entry: Entry): EstimateRequest {
  const { usage, options } = entry.base;
  const parameters = ((): RunParameters => {
    switch (entry.kind) {
      case 'image':
        return { kind: 'image', images: counted(usage['images']) };
      case 'audio':
        return { kind: 'audio', characters: counted(usage['characters']) };
      case 'embedding':
        return { kind: 'embedding', input_tokens: counted(usage['input_tokens']) };
      case 'search':
        return { kind: 'search', calls: counted(usage['web_searches'] ?? usage['web_scrapes']) };
      case 'video':
        return {
          kind: 'video',
          seconds: Number(usage['video_seconds'] ?? 5),
          resolution: entry.video && entry.video.resolutions.length > 0 ? (options?.resolution ?? null) : null,
          audio: entry.video?.audio === 'choice' ? options?.audio === 'on' : null,
        };
      default:
        return { kind: 'chat', input_tokens: counted(usage['input_tokens']), output_tokens: counted(usage['output_tokens']), output_bounds: null, web_searches: '0', web_scrapes: '0' };
    }
  })();
  return { model_id: entry.id, runs: 1, parameters };
}

function videoRate(entry: Entry, resolution: string | null, audio: boolean): Rate | undefined {
  return entry.rates.find(
    (rate) =>
      rate.meter === 'generations' ||
      ((rate.when?.resolution === undefined || resolution === null || rate.when.resolution === resolution) &&
        (rate.when?.audio === undefined || rate.when.audio === (audio ? 'on' : 'off'))),
  );
}

/** Hundredths of a credit would round tokens away: credits as numbers are enough for drawings. */
function lines(entry: Entry, parameters: RunParameters): LineView[] | null {
  const line = (rate: Rate, quantity: number): LineView => {
    const amount = (Number(rate.amount) * quantity) / (PER[rate.per] ?? 1);
    return { meter: rate.meter, quantity: String(quantity), rate: rate.amount, unit: rate.unit, denominator: rate.per, amount: String(Number(amount.toFixed(9))), rule: 'rate card' };
  };
  const of = (meter: string) => entry.rates.find((rate) => rate.meter === meter);
  const some = (meter: string, quantity: string): LineView[] => {
    const rate = of(meter);
    return rate === undefined ? [] : [line(rate, Number(quantity))];
  };
  const web = (model: Entry, meter: string, quantity: string): LineView[] => {
    const seller = ENTRIES.find((one) => one.kind === 'search' && one.id.endsWith('-venice') === (model.group === 'venice') && one.rates[0]?.meter === meter);
    return quantity === '0' || seller?.rates[0] === undefined ? [] : [line(seller.rates[0], Number(quantity))];
  };
  switch (parameters.kind) {
    case 'chat':
      return [...some('input_tokens', parameters.input_tokens), ...some('output_tokens', parameters.output_tokens), ...web(entry, 'web_searches', parameters.web_searches), ...web(entry, 'web_scrapes', parameters.web_scrapes)];
    case 'image':
      return some('images', parameters.images);
    case 'audio':
      return some('characters', parameters.characters);
    case 'embedding':
      return some('input_tokens', parameters.input_tokens);
    case 'search':
    case 'tool':
      return [...some('web_searches', parameters.calls), ...some('web_scrapes', parameters.calls)];
    case 'video': {
      const audio = parameters.audio ?? entry.video?.audio === 'always';
      const rate = videoRate(entry, parameters.resolution, audio);
      if (rate === undefined) return null;
      if (rate.meter === 'generations') return [line(rate, 1)];
      const seconds = line(rate, parameters.seconds);
      const cents = Math.round(Number(seconds.amount) * 100 + 1e-9) / 100;
      return [
        seconds,
        { meter: 'to_cents', quantity: seconds.amount, rate: '1', unit: 'usd', denominator: '1', amount: cents.toFixed(2), rule: 'rounded to cents, half up' },
        { meter: 'to_credits', quantity: cents.toFixed(2), rate: '10000', unit: 'credits', denominator: '1', amount: String(Math.round(cents * 10_000)), rule: '10,000 credits to the dollar' },
      ];
    }
  }
}

function cost(entry: Entry, parameters: RunParameters): number | null {
  const found = lines(entry, parameters);
  if (found === null) return null;
  const posting = found.filter((line) => line.unit === 'credits');
  return Number(posting.reduce((sum, line) => sum + Number(line.amount), 0).toFixed(9));
}

const words = (parameters: RunParameters): string => {
  switch (parameters.kind) {
    case 'chat':
      return `${parameters.input_tokens} in, ${parameters.output_tokens} out`;
    case 'image':
      return parameters.images === '1' ? '1 image' : `${parameters.images} images`;
    case 'audio':
      return `${parameters.characters} characters`;
    case 'embedding':
      return `${parameters.input_tokens} tokens`;
    case 'search':
    case 'tool':
      return parameters.calls === '1' ? '1 call' : `${parameters.calls} calls`;
    case 'video':
      return [`${parameters.seconds} s`, parameters.resolution, parameters.audio === true ? 'sound' : null].filter((word) => word !== null).join(', ');
  }
};

/** The whole card. */
export function catalog(): CatalogView {
  return {
    card_name: card.name,
    card_date: card.date,
    models: ENTRIES.map((entry): ModelView => {
      const request = defaults(entry);
      return {
        model_id: entry.id,
        name: entry.name,
        variant: entry.video?.variant ?? '',
        kind: entry.kind as ModelKind,
        base_credits: String(cost(entry, request.parameters) ?? entry.video?.printed.credits ?? '0'),
        base_run: words(request.parameters),
        capabilities: entry.capabilities,
        defaults: request,
        retired: entry.retired ?? null,
      };
    }),
  };
}

const clips = ENTRIES.filter((entry) => entry.kind === 'video');
const size = (value: string): number => (value.endsWith('k') ? 540 : 1) * Number(/\d+/u.exec(value)?.[0] ?? '0');
const usual = (name: 'resolution' | 'audio'): string[] => clips.map((clip) => clip.base.options?.[name]).filter((value) => value !== undefined);

function choices(entry: Entry, request: EstimateRequest): ChoiceView[] {
  const { parameters } = request;
  const rules = entry.video;
  if (parameters.kind !== 'video' || rules === undefined) return [];
  const option = (value: string, allowed: boolean, chosen: boolean, other: RunParameters) => {
    const credits = allowed ? cost(entry, other) : null;
    return { value, allowed, chosen, credits: credits === null ? null : String(Number((credits * request.runs).toFixed(9))) };
  };
  const between = (own: string[], others: string[]): string[] => [...new Set([...own, ...others])].sort((a, b) => size(a) - size(b));
  const lengths = between(rules.seconds.map(String), clips.map((clip) => String(clip.base.usage['video_seconds'] ?? 5)));
  const found: ChoiceView[] = [
    { parameter: 'seconds', options: lengths.map((value) => option(value, rules.seconds.includes(Number(value)), Number(value) === parameters.seconds, { ...parameters, seconds: Number(value) })) },
  ];
  if (rules.resolutions.length > 0) {
    const all = between(rules.resolutions, usual('resolution'));
    found.push({ parameter: 'resolution', options: all.map((value) => option(value, rules.resolutions.includes(value), value === (parameters.resolution ?? rules.resolutions[0]), { ...parameters, resolution: value })) });
  }
  const sounds = { always: ['on'], never: ['off'], choice: ['on', 'off'] }[rules.audio] ?? [];
  const hasSound = parameters.audio ?? rules.audio === 'always';
  found.push({ parameter: 'audio', options: ['on', 'off'].map((value) => option(value, sounds.includes(value), sounds.includes(value) && hasSound === (value === 'on'), { ...parameters, audio: value === 'on' })) });
  return found;
}

/** Lengths that are not known: the same run with the fewest and the most. */
function range(entry: Entry, request: EstimateRequest, likely: number): RangeView | null {
  const { parameters, runs } = request;
  if (parameters.kind !== 'chat') return null;
  const reads = Number(parameters.web_scrapes) > 1;
  if (parameters.output_bounds === null && !reads) return null;
  const of = (output: string | undefined, scrapes: string) => (cost(entry, { ...parameters, output_tokens: output ?? parameters.output_tokens, web_scrapes: scrapes }) ?? 0) * runs;
  const low = of(parameters.output_bounds?.least, reads ? '1' : parameters.web_scrapes);
  const high = of(parameters.output_bounds?.most, parameters.web_scrapes);
  const shown = (amount: number) => String(Number(amount.toFixed(9)));
  const usd = (amount: number) => String(Number((amount / 10_000).toFixed(12)));
  return {
    low_credits: shown(low), low_usd: usd(low), high_credits: shown(high), high_usd: usd(high), hold_credits: shown(high),
    low_bp: Math.floor((low / high) * 10_000), likely_bp: Math.floor((likely / high) * 10_000),
  };
}

function draw(batches: Batch[], total: number): DrawView {
  let need = Math.round(total * 100);
  const all = order(batches);
  const rows = all.map((one, index) => {
    const left = one.granted - one.used;
    const takes = Math.min(left, need);
    need -= takes;
    return {
      order: index + 1, batch_id: one.id, source: one.source, expires: instant(ends(one)), left_credits: text(left), takes_credits: text(takes),
      stays_credits: text(left - takes), takes_bp: Math.round((takes / left) * 10_000), week: Math.min(4, Math.floor((ends(one) - NOW) / (7 * 86_400_000)) + 1),
    };
  });
  const stays = rows.reduce((sum, row) => sum + Number(row.stays_credits), 0);
  return { rows, stays_credits: text(stays * 100), stays_usd: (stays / 10_000).toFixed(4), short_credits: text(need) };
}

const refused = (code: ErrorView['code'], params: Record<string, string>): Result<never> => ({ status: 'error', error: { code, params } });

/** What a person means to spend, and what is spent. */
export interface Limits {
  day: string | null;
  month: string | null;
}

function budget(limits: Limits, total: number): BudgetView | null {
  const span = (name: 'day' | 'month', limit: string | null, spent: number, resets: string): BudgetSpanView[] => {
    if (limit === null) return [];
    const most = Number(limit);
    const after = spent + total;
    const bp = (part: number) => Math.min(10_000, Math.floor((part / most) * 10_000));
    const shown = (amount: number) => String(Number(amount.toFixed(9)));
    return [{
      span: name, limit_credits: limit, spent_credits: shown(spent), held_credits: null, left_credits: shown(Math.max(0, most - after)),
      over_credits: after > most ? shown(after - most) : null, spent_bp: bp(spent), after_bp: bp(after), resets, at_least: name === 'month',
    }];
  };
  const spans = [...span('day', limits.day, 6123.71, '2026-11-21T00:00:00.000Z'), ...span('month', limits.month, 96_310.4, '2026-12-01T00:00:00.000Z')];
  return spans.length === 0 ? null : { spans, passed: spans.some((one) => one.over_credits !== null) };
}

/** A quote. */
export function estimate(request: EstimateRequest, batches: Batch[] | null, limits: Limits = { day: null, month: null }): Result<EstimateView> {
  const entry = ENTRIES.find((one) => one.id === request.model_id);
  if (entry === undefined) return refused('unknown_model', { input: request.model_id, nearest: 'Venice Small' });
  const { parameters } = request;
  if (parameters.kind === 'video' && entry.video && !entry.video.seconds.includes(parameters.seconds)) {
    return refused('parameter_refused', { parameter: 'seconds', given: String(parameters.seconds), allowed: entry.video.seconds.join(', ') });
  }
  const one = cost(entry, parameters);
  const found = lines(entry, parameters);
  if (parameters.kind === 'chat' && parameters.output_bounds !== null) {
    const { least, most } = parameters.output_bounds;
    const likely = Number(parameters.output_tokens);
    if (Number(least) > likely || likely > Number(most)) return refused('count_invalid', { input: `${least}, ${parameters.output_tokens}, ${most}` });
  }
  if (one === null || found === null) return refused('price_unknown', { model: entry.name });
  const total = Number((one * request.runs).toFixed(9));
  return {
    status: 'ok',
    data: {
      request,
      total_credits: String(total),
      total_usd: String(Number((total / 10_000).toFixed(10))),
      lines: request.runs === 1 ? found : [...found, { meter: 'runs', quantity: String(request.runs), rate: String(one), unit: 'credits', denominator: '1', amount: String(total), rule: 'the same run each time' }],
      evidence: parameters.kind === 'video' && String(one) !== entry.video?.printed.credits ? 'assumed_linear' : 'rate_card',
      evidence_note: `${card.name}, ${card.date}`,
      range: range(entry, request, total),
      card_date: card.date,
      card_age_days: 323,
      choices: choices(entry, request),
      budget: batches === null ? null : budget(limits, total),
      draw: batches === null ? null : draw(batches, total),
    },
  };
}

export { BATCHES, clips, cost, defaults, draw, ENTRIES, refused, words };
export type { Entry };
