/** Prices that are asked for by typing: `sora 8` is Sora 2 at eight seconds, `3x flux` three images. */
import { backend, type EstimateRequest, type EstimateView, type ModelView } from '../../backend';
import { errorWords } from '../../components/error-words';
import { creditsShort, usd } from '../../format';
import { m } from '../../i18n';
import { answered } from '../../state/app.svelte';
import { go } from '../../state/route.svelte';
import { bench } from '../estimate/draft.svelte';
import { capability, variant } from '../estimate/words';
import { typedWords } from './rank';

/** How much of a run was asked for. */
export interface Amount {
  /** Seconds, images, calls: what the kind of run is counted in. */
  size: string | null;
  runs: number | null;
}

const TIMES = /^(?:[x×](\d{1,3})|(\d{1,3})[x×])$/u;
const SIZE = /^(\d{1,6})(?:s|sec|seconds)?$/u;

/** Takes the figures from a typed text that do not belong to this name; none when there are none. */
export function amountIn(typed: string, name: string): { words: string; amount: Amount } | null {
  const inName = typedWords(name).flatMap((word) => word.split(/[^\p{L}\p{N}.]+/u));
  const amount: Amount = { size: null, runs: null };
  const rest = typedWords(typed).filter((word) => {
    const times = TIMES.exec(word);
    if (times !== null) {
      amount.runs = parseInt(times[1] ?? times[2] ?? '1', 10);
      return false;
    }
    const size = SIZE.exec(word)?.[1];
    if (size === undefined || inName.some((part) => part.startsWith(word))) return true;
    amount.size = size;
    return false;
  });
  return amount.size === null && amount.runs === null ? null : { words: rest.join(' '), amount };
}

/** The usual run of a model, as much of it as was asked for. */
export function requestOf(model: ModelView, { size, runs }: Amount): EstimateRequest {
  const { parameters } = model.defaults;
  const sized = ((): EstimateRequest['parameters'] => {
    if (size === null) return parameters;
    switch (parameters.kind) {
      case 'video':
        return { ...parameters, seconds: parseInt(size, 10) };
      case 'image':
        return { ...parameters, images: size };
      case 'search':
        return { ...parameters, calls: size };
      case 'audio':
        return { ...parameters, characters: size };
      default:
        return parameters;
    }
  })();
  return { ...model.defaults, runs: Math.max(1, runs ?? model.defaults.runs), parameters: sized };
}

/** What is said of a price that was asked for. */
export interface Priced {
  title: string;
  detail: string;
  figure?: string;
  unit?: string;
}

const SIZED: Partial<Record<ModelView['kind'], (size: { size: string }) => string>> = {
  video: m.palette_size_video,
  image: m.palette_size_image,
  search: m.palette_size_search,
  audio: m.palette_size_audio,
};

export function titleOf(model: ModelView, { size, runs }: Amount): string {
  const sized = size === null ? undefined : SIZED[model.kind]?.({ size });
  const name = sized === undefined ? model.name : m.palette_sized({ name: model.name, size: sized });
  return runs === null || runs < 2 ? name : m.palette_runs_of({ runs: runs.toString(), name });
}

/** Asks for the price. What a model does not offer is said, not left out. */
export async function priced(model: ModelView, amount: Amount): Promise<Priced> {
  const answer = await answered(backend.estimate(requestOf(model, amount)));
  const title = titleOf(model, amount);
  if (answer.status === 'error') return { title, detail: errorWords(answer.error).what };
  const { total_credits, total_usd } = answer.data;
  return { title, detail: detailOf(model, answer.data), figure: creditsShort(total_credits), unit: m.palette_credits_usd({ usd: usd(total_usd) }) };
}

/** Which of the model's runs it is, and how sure the price. */
function detailOf(model: ModelView, view: EstimateView): string {
  const { parameters } = view.request;
  const chosen = parameters.kind === 'video' ? [parameters.resolution, parameters.audio === true ? capability('sound').toLowerCase() : null] : [];
  const words = [...chosen, model.variant === '' ? null : variant(model.variant).toLowerCase(), evidence(view)];
  return words.filter((word) => word !== null).join(m.common_comma());
}

const evidence = (view: EstimateView): string => {
  switch (view.evidence) {
    case 'live_quote':
      return m.estimate_evidence_live_quote();
    case 'cached_quote':
      return m.estimate_evidence_cached_quote();
    case 'rate_card':
      return view.evidence_note;
    case 'interpolated':
      return m.estimate_evidence_interpolated();
    case 'assumed_linear':
      return m.palette_assumed_linear();
  }
};

/** Opens Estimate with a model, and with as much of it as was asked for. */
export function estimateWith(model: ModelView, amount: Amount = { size: null, runs: null }): void {
  const draft = bench.drafts[model.kind];
  bench.kind = model.kind;
  draft.choose(model);
  const { parameters, runs } = requestOf(model, amount);
  if (amount.runs !== null) draft.runs = runs.toString();
  if (amount.size !== null) {
    if (parameters.kind === 'video') draft.seconds = parameters.seconds;
    if (parameters.kind === 'image') draft.counts.images = parameters.images;
    if (parameters.kind === 'search') draft.counts.calls = parameters.calls;
    if (parameters.kind === 'audio') draft.counts.characters = parameters.characters;
  }
  go('estimate');
}
