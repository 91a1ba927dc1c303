import type { EstimateRequest, ModelKind, ModelView, RecipeDraft, RunParameters } from '../../backend/bindings';
import { COUNT_MOST, RUNS_MOST, readCount, type CountRange } from './counts';

/** Names of typed counts, as they are in the request. */
export type CountName = 'input_tokens' | 'output_tokens' | 'output_least' | 'output_most' | 'web_searches' | 'web_scrapes' | 'images' | 'characters' | 'calls';

/** Why what was typed is not a request yet. */
export type Fault = 'empty' | 'whole' | 'range' | 'order';
export type Faults = Partial<Record<CountName | 'runs', Fault>>;

/** A count a person types for a kind of run. */
export interface CountField {
  name: CountName;
  range: CountRange;
  stepped: boolean;
}

const tokens = (name: CountName): CountField => ({ name, range: { least: 0, most: COUNT_MOST }, stepped: false });
const stepped = (name: CountName, most = COUNT_MOST): CountField => ({ name, range: { least: 0, most }, stepped: true });
/** Addresses that one message may have read. */
const ADDRESSES_MOST = 3;

/** Which counts each kind of run has, in the order they are shown. */
export const COUNT_FIELDS: Record<ModelKind, CountField[]> = {
  chat: [tokens('input_tokens'), tokens('output_tokens'), stepped('web_searches'), stepped('web_scrapes', ADDRESSES_MOST)],
  image: [stepped('images')],
  video: [],
  audio: [tokens('characters')],
  embedding: [tokens('input_tokens')],
  search: [stepped('calls')],
  tool: [stepped('calls')],
};

/** Bounds of an answer whose length is not known, in the order they are shown. */
export const BOUND_FIELDS: CountField[] = [tokens('output_least'), tokens('output_tokens'), tokens('output_most')];

/** Range of the number of runs. */
export const RUNS_RANGE: CountRange = { least: 1, most: RUNS_MOST };

/** What a person has chosen and typed for one kind of run. Kept while the app is open, so that leaving the screen loses nothing. */
export class Draft {
  model = $state.raw<ModelView | null>(null);
  runs = $state('1');
  counts = $state<Partial<Record<CountName, string>>>({});
  /** Whether only bounds of the answer's length are known. */
  isOpenEnded = $state(false);
  seconds = $state(0);
  resolution = $state<string | null>(null);
  audio = $state<boolean | null>(null);

  /** Says whether the length of the answer is known; the first time, a quarter of the likely length and four times as much are the bounds. */
  openEnded(isOpenEnded: boolean): void {
    this.isOpenEnded = isOpenEnded;
    const likely = readCount(this.counts.output_tokens ?? '', { least: 0, most: COUNT_MOST / 4 });
    if (!likely.ok) return;
    const tokens = BigInt(likely.value);
    this.counts.output_least ??= (tokens / 4n).toString();
    this.counts.output_most ??= (tokens * 4n).toString();
  }

  /** Takes a clip's parameters, or of the counts of another run those that are wanted. */
  private fill(parameters: RunParameters, wanted: (name: CountName) => boolean): void {
    if (parameters.kind === 'video') {
      this.seconds = parameters.seconds;
      this.resolution = parameters.resolution;
      this.audio = parameters.audio;
      return;
    }
    const own: Record<string, unknown> = { ...parameters };
    for (const { name } of COUNT_FIELDS[parameters.kind]) {
      const given = own[name];
      if (wanted(name) && typeof given === 'string') this.counts[name] = given;
    }
  }

  /** Takes a whole run as it is, for a recipe or another model's same job. */
  take(model: ModelView, request: EstimateRequest): void {
    const { parameters } = request;
    this.model = model;
    this.runs = request.runs.toString();
    this.fill(parameters, () => true);
    if (parameters.kind !== 'chat') return;
    this.isOpenEnded = parameters.output_bounds !== null;
    if (parameters.output_bounds === null) return;
    this.counts.output_least = parameters.output_bounds.least;
    this.counts.output_most = parameters.output_bounds.most;
  }

  /** Takes another model: its own run, but counts and runs that were typed stay. */
  choose(model: ModelView): void {
    const parameters = model.defaults.parameters;
    if (this.model === null) this.runs = model.defaults.runs.toString();
    this.model = model;
    this.fill(parameters, (name) => this.counts[name] === undefined);
  }
}

/** A request, or why there is none yet, by field. */
export type Drafted = { ok: true; request: EstimateRequest } | { ok: false; faults: Faults };

/** Turns what was typed into a request. */
export function drafted(draft: Draft): Drafted | null {
  const model = draft.model;
  if (model === null) return null;
  const faults: Faults = {};
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
  if (parameters.kind === 'chat') inOrder(parameters, faults);
  if (!runs.ok || Object.keys(faults).length > 0) return { ok: false, faults };
  return { ok: true, request: { model_id: model.model_id, runs: parseInt(runs.value, 10), parameters } };
}

/** The fewest are no more than what is likely, and that is no more than the most. */
function inOrder(chat: RunParameters & { kind: 'chat' }, faults: Faults): void {
  if (chat.output_bounds === null || faults.output_tokens || faults.output_least || faults.output_most) return;
  const { least, most } = chat.output_bounds;
  if (BigInt(least) > BigInt(chat.output_tokens)) faults.output_least = 'order';
  if (BigInt(most) < BigInt(chat.output_tokens)) faults.output_most = 'order';
}

function parametersOf(kind: ModelKind, draft: Draft, read: (name: CountName) => string): RunParameters {
  switch (kind) {
    case 'chat':
      return {
        kind,
        input_tokens: read('input_tokens'),
        output_tokens: read('output_tokens'),
        output_bounds: draft.isOpenEnded ? { least: read('output_least'), most: read('output_most') } : null,
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
    case 'tool':
      return { kind, calls: read('calls') };
  }
}

/** The kinds of work, in the order of their tabs. */
export const KINDS: ModelKind[] = ['chat', 'image', 'video', 'audio', 'embedding', 'search', 'tool'];
/** What a plan looks at besides the open tab: things people do many of. */
const PLANNED: ModelKind[] = ['image', 'video', 'chat', 'audio'];

/** Which tab is open, and a draft for each. */
export class Bench {
  kind = $state<ModelKind>('video');
  /** Whether the recipes show instead of a kind of work. */
  isRecipes = $state(false);
  /** The job that is put together: a recipe that is kept, or a new one. */
  job = $state.raw<RecipeDraft>({ recipe_id: null, name: '', runs: [] });
  drafts: Record<ModelKind, Draft> = {
    chat: new Draft(),
    image: new Draft(),
    video: new Draft(),
    audio: new Draft(),
    embedding: new Draft(),
    search: new Draft(),
    tool: new Draft(),
  };
  /** Shows a job. */
  openJob(job: RecipeDraft): void {
    this.job = job;
  }

  /** Puts a run at the end of the job. */
  addRun(run: EstimateRequest): void {
    this.job = { ...this.job, runs: [...this.job.runs, run] };
  }

  get draft(): Draft {
    return this.drafts[this.kind];
  }

  /** The runs that a plan counts: that of the open tab first, then those of the others, as they were left or as the first model of the kind is made. */
  planned(models: ModelView[]): EstimateRequest[] {
    const kinds = [this.kind, ...PLANNED.filter((kind) => kind !== this.kind)];
    return kinds.flatMap((kind) => {
      const typed = drafted(this.drafts[kind]);
      if (typed?.ok === true) return [typed.request];
      const model = models.find((one) => one.kind === kind && one.retired === null);
      return model === undefined || kind === this.kind ? [] : [model.defaults];
    });
  }
}

/** The one bench of this window. */
export const bench = new Bench();
