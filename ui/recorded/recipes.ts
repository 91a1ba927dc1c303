/** Recipes and counted texts, kept for as long as the page is open. */
import type { Backend, Result } from '../src/backend/backend';
import type { EstimateRequest, JobView, RecipeView } from '../src/backend/bindings';
import type { Recording } from './calls';
import { cost, defaults, draw, ENTRIES, estimate, refused, words } from './estimate';
import { instant, NOW } from './model';

const ok = <T>(data: T): Result<T> => ({ status: 'ok', data });
const exact = (amount: number): string => String(Number(amount.toFixed(9)));

function job(on: Recording, runs: EstimateRequest[]): JobView {
  const rows = runs.map((request) => {
    const entry = ENTRIES.find((one) => one.id === request.model_id);
    const one = entry === undefined ? null : cost(entry, request.parameters);
    return {
      request, name: entry?.name ?? request.model_id, kind: request.parameters.kind, run: words(request.parameters),
      total_credits: one === null ? null : exact(one * request.runs), refused: one === null ? ({ code: 'price_unknown', params: { model: request.model_id } } as const) : null,
    };
  });
  const total = rows.reduce((sum, row) => sum + Number(row.total_credits ?? '0'), 0);
  const open = runs.map((request) => estimate(request, null)).map((quote) => (quote.status === 'ok' ? quote.data : null));
  const ends = (name: 'low_credits' | 'high_credits') => exact(open.reduce((sum, one) => sum + Number(one?.range?.[name] ?? one?.total_credits ?? '0'), 0));
  const isRange = open.some((one) => one?.range);
  const first = runs[0];
  const beside = first === undefined || on.batches === null ? null : estimate(first, on.batches, on.limits);
  return {
    rows, total_credits: exact(total), total_usd: exact(total / 10_000), low_credits: isRange ? ends('low_credits') : null, high_credits: isRange ? ends('high_credits') : null,
    unpriced: rows.filter((row) => row.total_credits === null).length, draw: on.batches === null ? null : draw(on.batches, total),
    budget: beside?.status === 'ok' ? beside.data.budget : null,
  };
}

function samples(): { recipe_id: string; name: string; runs: EstimateRequest[] }[] {
  const of = (id: string, runs: number): EstimateRequest[] => ENTRIES.filter((entry) => entry.id === id).map((entry) => ({ ...defaults(entry), runs }));
  return [
    { recipe_id: 'r2', name: 'Blog post with pictures', runs: [...of('qwen3-235b', 6), ...of('image-generation', 4)] },
    { recipe_id: 'r1', name: 'Weekly reel', runs: [...of('qwen3-4b', 12), ...of('image-generation', 8), ...of('veo3-fast-text-to-video', 3), ...of('tts-kokoro', 2)] },
  ];
}

export function recipeCalls(on: Recording): Pick<Backend, 'recipes' | 'keepRecipe' | 'deleteRecipe' | 'priceJob' | 'countText'> {
  let kept = on.scenario === 'fresh' || on.scenario === 'empty' ? [] : samples();
  let made = 0;
  const view = (): RecipeView[] =>
    kept
      .map((one) => ({ ...one, ...job(on, one.runs), changed: instant(NOW) }))
      .map(({ recipe_id, name, runs, total_credits, total_usd, unpriced, changed }) => ({ recipe_id, name, runs, total_credits, total_usd, unpriced, changed }))
      .sort((a, b) => a.name.localeCompare(b.name));
  return {
    recipes: () => Promise.resolve(ok(view())),
    keepRecipe: (draft) => {
      if (draft.name.trim() === '' || draft.runs.length === 0) return Promise.resolve(refused('recipe_refused', {}));
      made += 1;
      const recipe_id = draft.recipe_id ?? `new-${made}`;
      kept = [...kept.filter((one) => one.recipe_id !== recipe_id), { ...draft, recipe_id }];
      return Promise.resolve(ok(view()));
    },
    deleteRecipe: (recipeId) => {
      kept = kept.filter((one) => one.recipe_id !== recipeId);
      return Promise.resolve(ok(view()));
    },
    priceJob: (runs) => Promise.resolve(ok(job(on, runs))),
    countText: (text, modelId) =>
      Promise.resolve(ok({ tokens: String(Math.ceil(text.length / 4)), characters: String([...text].length), encoding: 'o200k_base', own: modelId.startsWith('openai-gpt-oss') })),
  };
}
