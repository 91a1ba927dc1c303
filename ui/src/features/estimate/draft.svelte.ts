import type { EstimateRequest, ModelKind, ModelView, RunParameters } from '../../backend/bindings';
import { COUNT_MOST, RUNS_MOST, readCount, type Count, type CountRange } from './counts';

/** Names of typed counts, as they are in the request. */
export type CountName = 'input_tokens' | 'output_tokens' | 'web_searches' | 'web_scrapes' | 'images' | 'characters' | 'calls';

/** A count a person types for a kind of run. */
export interface CountField {
  name: CountName;
  range: CountRange;
  stepped: boolean;
}

const tokens = (name: CountName): CountField => ({ name, range: { least: 0, most: COUNT_MOST }, stepped: false });
const stepped = (name: CountName, least: number): CountField => ({ name, range: { least, most: COUNT_MOST }, stepped: true });

/** Which counts each kind of run has, in the order they are shown. */
export const COUNT_FIELDS: Record<ModelKind, CountField[]> = {
  chat: [tokens('input_tokens'), tokens('output_tokens'), stepped('web_searches', 0), stepped('web_scrapes', 0)],
  image: [stepped('images', 0)],
  video: [],
  audio: [tokens('characters')],
  embedding: [tokens('input_tokens')],
  search: [stepped('calls', 0)],
};

/** Range of the number of runs. */
export const RUNS_RANGE: CountRange = { least: 1, most: RUNS_MOST };

/** What a person has chosen and typed for one kind of run. Kept while the app is open, so that leaving the screen loses nothing. */
export class Draft {
  model = $state.raw<ModelView | null>(null);
  runs = $state('1');
  counts = $state<Partial<Record<CountName, string>>>({});
  seconds = $state(0);
  resolution = $state<string | null>(null);
  audio = $state<boolean | null>(null);

  /** Takes another model: its own run, but counts and runs that were typed stay. */
  choose(model: ModelView): void {
    const parameters = model.defaults.parameters;
    if (this.model === null) this.runs = model.defaults.runs.toString();
    this.model = model;
    if (parameters.kind === 'video') {
      this.seconds = parameters.seconds;
      this.resolution = parameters.resolution;
      this.audio = parameters.audio;
      return;
    }
    const own: Record<string, unknown> = { ...parameters };
    for (const { name } of COUNT_FIELDS[parameters.kind]) {
      const given = own[name];
      if (this.counts[name] === undefined && typeof given === 'string') this.counts[name] = given;
    }
  }
}

/** A request, or why there is none yet, by field. */
export type Drafted =
  | { ok: true; request: EstimateRequest }
  | { ok: false; faults: Partial<Record<CountName | 'runs', Exclude<Count, { ok: true }>['why']>> };

/** Turns what was typed into a request. */
export function drafted(draft: Draft): Drafted | null {
  const model = draft.model;
  if (model === null) return null;
  const faults: Partial<Record<CountName | 'runs', 'empty' | 'whole' | 'range'>> = {};
  const read = (name: CountName): string => {
    const field = COUNT_FIELDS[model.kind].find((one) => one.name === name);
    const count = readCount(draft.counts[name] ?? '', field?.range ?? { least: 0, most: COUNT_MOST });
    if (count.ok) return count.value;
    faults[name] = count.why;
    return '0';
  };
  const parameters = parametersOf(model.kind, draft, read);
  const runs = readCount(draft.runs, RUNS_RANGE);
  if (!runs.ok) faults.runs = runs.why;
  if (!runs.ok || Object.keys(faults).length > 0) return { ok: false, faults };
  return { ok: true, request: { model_id: model.model_id, runs: parseInt(runs.value, 10), parameters } };
}

function parametersOf(kind: ModelKind, draft: Draft, read: (name: CountName) => string): RunParameters {
  switch (kind) {
    case 'chat':
      return {
        kind,
        input_tokens: read('input_tokens'),
        output_tokens: read('output_tokens'),
        web_searches: read('web_searches'),
        web_scrapes: read('web_scrapes'),
      };
    case 'image':
      return { kind, images: read('images') };
    case 'audio':
      return { kind, characters: read('characters') };
    case 'video':
      return { kind, seconds: draft.seconds, resolution: draft.resolution, audio: draft.audio };
    case 'embedding':
      return { kind, input_tokens: read('input_tokens') };
    case 'search':
      return { kind, calls: read('calls') };
  }
}

/** Which tab is open, and a draft for each. */
export class Bench {
  kind = $state<ModelKind>('video');
  drafts: Record<ModelKind, Draft> = {
    chat: new Draft(),
    image: new Draft(),
    video: new Draft(),
    audio: new Draft(),
    embedding: new Draft(),
    search: new Draft(),
  };
  get draft(): Draft {
    return this.drafts[this.kind];
  }
}

/** The one bench of this window. */
export const bench = new Bench();
