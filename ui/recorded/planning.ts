/** What else the same credits could do, worked out simply from recorded prices. */
import type { Backend, Result } from '../src/backend/backend';
import type { ComparisonView, EstimateRequest, LeftOutView, PlanBudget, PlanRowView, PlanView, RunParameters } from '../src/backend/bindings';
import type { Recording } from './calls';
import { cost, ENTRIES, refused, words, type Entry } from './estimate';
import { ends, instant, order, text } from './model';

const ok = <T>(data: T): Result<T> => ({ status: 'ok', data });
const exact = (amount: number): string => String(Number(amount.toFixed(9)));

/** Why a clip's model does not make it; nothing when it does. */
function stands(entry: Entry, parameters: RunParameters & { kind: 'video' }, sound: boolean): { parameter: string; allowed: string } | null {
  const rules = entry.video;
  if (rules === undefined) return { parameter: 'seconds', allowed: '' };
  if (!rules.seconds.includes(parameters.seconds)) return { parameter: 'seconds', allowed: rules.seconds.join(', ') };
  if (parameters.resolution !== null && !rules.resolutions.includes(parameters.resolution)) return { parameter: 'resolution', allowed: rules.resolutions.join(', ') };
  if (rules.audio !== 'choice' && (rules.audio === 'always') !== sound) return { parameter: 'audio', allowed: rules.audio === 'always' ? 'on' : 'off' };
  return null;
}

function comparison(request: EstimateRequest, balance: number | null): ComparisonView {
  const { parameters } = request;
  const own = ENTRIES.find((entry) => entry.id === request.model_id);
  const sound = parameters.kind === 'video' && (parameters.audio ?? own?.video?.audio === 'always');
  const asked: RunParameters = parameters.kind === 'video' ? { ...parameters, resolution: parameters.resolution ?? own?.base.options?.resolution ?? null, audio: sound } : parameters;
  const left_out: LeftOutView[] = [];
  const able: { entry: Entry; total: number }[] = [];
  for (const entry of ENTRIES.filter((one) => one.kind === own?.kind)) {
    const against = asked.kind === 'video' ? stands(entry, asked, sound) : null;
    const one = cost(entry, asked);
    const is = { model_id: entry.id, name: entry.name, variant: entry.video?.variant ?? '' };
    if (entry.retired !== undefined) left_out.push({ ...is, reason: 'retired', params: { on: entry.retired } });
    else if (against !== null) left_out.push({ ...is, reason: 'impossible', params: against });
    else if (one === null || one === 0) left_out.push({ ...is, reason: 'no_rate', params: {} });
    else able.push({ entry, total: one * request.runs });
  }
  able.sort((a, b) => a.total - b.total || (a.entry.id < b.entry.id ? -1 : 1));
  const dearest = able.at(-1)?.total ?? 1;
  return {
    job: words(asked),
    runs: request.runs,
    left_out,
    rows: able.map(({ entry, total }) => ({
      request: { model_id: entry.id, runs: request.runs, parameters: asked },
      name: entry.name,
      variant: entry.video?.variant ?? '',
      capabilities: entry.capabilities,
      total_credits: exact(total),
      total_usd: String(Number((total / 10_000).toFixed(12))),
      share_bp: Math.floor((total / dearest) * 10_000),
      fits: balance === null ? null : String(Math.floor(balance / total + 1e-9)),
      evidence: 'rate_card',
      cost_rank: able.findIndex((other) => other.total === total),
      chosen: entry.id === request.model_id,
    })),
  };
}

function row(request: EstimateRequest, budget: number): PlanRowView {
  const entry = ENTRIES.find((one) => one.id === request.model_id);
  const one = entry === undefined ? null : cost(entry, request.parameters);
  const each = one === null ? 0 : one * request.runs;
  const count = each > 0 ? Math.floor(budget / each + 1e-9) : 0;
  return {
    request,
    name: entry?.name ?? request.model_id,
    kind: request.parameters.kind,
    run: words(request.parameters),
    fit: each > 0 ? { each_credits: exact(each), count: String(count), spent_credits: exact(count * each), left_credits: exact(budget - count * each) } : null,
    refused: each > 0 ? null : { code: 'count_invalid', params: { input: '0' } },
  };
}

function mixed(requests: EstimateRequest[], budget: number): PlanView['mix'] {
  const [first, then] = requests.map((request) => row(request, budget));
  if (first?.fit == null || then?.fit == null || Number(first.fit.each_credits) > budget) return null;
  const rest = budget - Number(first.fit.each_credits);
  const count = Math.floor(rest / Number(then.fit.each_credits) + 1e-9);
  if (count === 0) return null;
  const left = rest - count * Number(then.fit.each_credits);
  return { first_name: first.name, first_kind: first.kind, then_name: then.name, then_kind: then.kind, then_count: String(count), spent_credits: exact(budget - left), left_credits: exact(left) };
}

function plan(on: Recording, budget: PlanBudget, requests: EstimateRequest[]): Result<PlanView> {
  if (on.batches === null) return refused('not_signed_in', {});
  const live = order(on.batches);
  const first = live[0];
  const left = (one: (typeof live)[number]) => one.granted - one.used;
  const amounts = { balance: live.reduce((sum, one) => sum + left(one), 0), next_end: first === undefined ? 0 : left(first), lapsing: on.view.account?.next_end?.lapse_credits ?? '0' };
  const until = first === undefined ? null : instant(ends(first));
  const budgets = [
    { budget: 'lapsing' as const, credits: amounts.lapsing, is_forecast: true, until: amounts.lapsing === '0' ? null : until },
    { budget: 'next_end' as const, credits: text(amounts.next_end), is_forecast: false, until },
    { budget: 'balance' as const, credits: text(amounts.balance), is_forecast: false, until: null },
  ];
  const amount = Number(budgets.find((one) => one.budget === budget)?.credits ?? '0');
  return ok({ budget, budgets, rows: requests.map((request) => row(request, amount)), mix: mixed(requests, amount) });
}

export function planningCalls(on: Recording): Pick<Backend, 'compareModels' | 'planSpending' | 'setBudget'> {
  const balance = () => (on.batches === null ? null : order(on.batches).reduce((sum, one) => sum + (one.granted - one.used), 0) / 100);
  return {
    compareModels: (request) => Promise.resolve(ok(comparison(request, balance()))),
    planSpending: (budget, requests) => Promise.resolve(plan(on, budget, requests)),
    setBudget: (day, month) => {
      const limit = (typed: string | null): string | null | undefined => {
        const bare = typed?.replace(/[\s,]/gu, '') ?? '';
        return bare === '' ? null : /^\d+(\.\d+)?$/u.test(bare) && Number(bare) > 0 ? bare : undefined;
      };
      const [budget_day_credits, budget_month_credits] = [limit(day), limit(month)];
      if (budget_day_credits === undefined || budget_month_credits === undefined) return Promise.resolve(refused('amount_invalid', { input: day ?? month ?? '' }));
      return on.changed({ settings: { ...on.view.settings, budget_day_credits, budget_month_credits } });
    },
  };
}

