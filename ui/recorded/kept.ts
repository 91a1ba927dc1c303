/** Kept estimates, for as long as the page is open. */
import type { Backend, Result } from '../src/backend/backend';
import type { ChargeLink, EstimateRequest, KeptEstimatesView, KeptEstimateView, RunChargeView } from '../src/backend/bindings';
import type { Recording } from './calls';
import { cost, defaults, ENTRIES, refused, words } from './estimate';
import { instant, NOW } from './model';

const ok = <T>(data: T): Result<T> => ({ status: 'ok', data });
const exact = (amount: number): string => String(Number(amount.toFixed(9)));
const HOUR = 3_600_000;

function charge(expected: string, sequence: number, at: number, credits: number, link: ChargeLink): RunChargeView {
  const difference = credits - Number(expected);
  return { sequence: String(sequence), at: instant(at), credits: exact(credits), refunded_credits: null, difference_credits: exact(difference), error_percent: String(Number(((difference / Number(expected)) * 100).toFixed(2))), link };
}

function keep(id: string, request: EstimateRequest, at: number): KeptEstimateView {
  const entry = ENTRIES.find((one) => one.id === request.model_id);
  const each = entry === undefined ? 0 : (cost(entry, request.parameters) ?? 0);
  return { estimate_id: id, at: instant(at), request, name: entry?.name ?? request.model_id, run: words(request.parameters), expected_credits: exact(each * request.runs), charge: null, candidates: [] };
}

/** One of each: charged as expected, charged more, not charged, and with several charges that may be its own. */
function samples(): KeptEstimateView[] {
  const of = (id: string, model: string, hours: number): KeptEstimateView[] => ENTRIES.filter((entry) => entry.id === model).map((entry) => keep(id, defaults(entry), NOW - hours * HOUR));
  const charged = (one: KeptEstimateView, sequence: number, factor: number, link: ChargeLink): KeptEstimateView => ({
    ...one,
    charge: charge(one.expected_credits, sequence, Date.parse(one.at) + HOUR / 2, Number(one.expected_credits) * factor, link),
  });
  const partly = (one: KeptEstimateView): KeptEstimateView => ({ ...one, charge: one.charge === null ? null : { ...one.charge, refunded_credits: '0.2' } });
  const offered = (one: KeptEstimateView): KeptEstimateView => ({
    ...one,
    candidates: [charge(one.expected_credits, 402, Date.parse(one.at) + HOUR, Number(one.expected_credits), 'matched'), charge(one.expected_credits, 405, Date.parse(one.at) + 2 * HOUR, Number(one.expected_credits) * 1.2, 'matched')],
  });
  return [
    ...of('k5', 'veo3-fast-text-to-video', 1),
    ...of('k4', 'qwen3-4b', 20).map(offered),
    ...of('k3', 'image-generation', 30).map((one) => charged(one, 391, 1, 'matched')),
    ...of('k2', 'qwen3-235b', 52).map((one) => partly(charged(one, 377, 1.04, 'picked'))),
    ...of('k1', 'tts-kokoro', 75).map((one) => charged(one, 350, 1, 'simulated')),
  ];
}

/** `simulate` charges a run; its estimate is kept by itself. */
export function keptCalls(on: Recording, simulate: Backend['simulateRun']): Pick<Backend, 'keptEstimates' | 'keepEstimate' | 'forgetEstimate' | 'pickCharge' | 'rejectCharge' | 'simulateRun'> {
  let kept = on.scenario === 'fresh' || on.scenario === 'empty' || on.scenario === 'owing' ? [] : samples();
  const rejected = new Map<string, RunChargeView[]>();
  let made = 0;
  const add = (request: EstimateRequest): KeptEstimateView => {
    made += 1;
    const one = keep(`new-${made}`, request, NOW);
    kept = [one, ...kept];
    return one;
  };
  const change = (id: string, with_: (one: KeptEstimateView) => KeptEstimateView): void => {
    kept = kept.map((one) => (one.estimate_id === id ? with_(one) : one));
  };
  /** A charge of nobody's may be of any estimate of its model. */
  const freed = (model: string, { sequence, at, credits, link }: RunChargeView): void => {
    kept = kept.map((one) =>
      one.request.model_id !== model || one.charge !== null || one.at > at
        ? one
        : { ...one, candidates: [...one.candidates, charge(one.expected_credits, Number(sequence), Date.parse(at), Number(credits), link)] },
    );
  };
  const view = (): KeptEstimatesView => {
    const errors = kept.flatMap((one) => (one.charge?.error_percent ? [Math.abs(Number(one.charge.error_percent))] : [])).sort((a, b) => a - b);
    const half = Math.floor(errors.length / 2);
    const median = errors.length % 2 === 1 ? errors[half] : ((errors[half - 1] ?? 0) + (errors[half] ?? 0)) / 2;
    return { estimates: kept, compared: errors.length, median_percent: errors.length === 0 ? null : exact(median ?? 0) };
  };
  const answer = () => Promise.resolve(on.batches === null ? refused('not_signed_in', {}) : ok(view()));
  return {
    keptEstimates: answer,
    keepEstimate: (request) => {
      if (on.batches !== null) add(request);
      return answer();
    },
    forgetEstimate: (id) => {
      const gone = kept.find((one) => one.estimate_id === id);
      kept = kept.filter((one) => one.estimate_id !== id);
      if (gone?.charge) freed(gone.request.model_id, gone.charge);
      return answer();
    },
    pickCharge: (id, sequence) => {
      const own = [...(kept.find((one) => one.estimate_id === id)?.candidates ?? []), ...(rejected.get(id) ?? [])].find((one) => one.sequence === sequence);
      rejected.set(id, (rejected.get(id) ?? []).filter((one) => one.sequence !== sequence));
      if (sequence !== null && own === undefined) return Promise.resolve(refused('charge_not_its_own', {}));
      change(id, (one) => ({ ...one, charge: own === undefined ? null : { ...own, link: 'picked' } }));
      return answer();
    },
    rejectCharge: (id, sequence) => {
      change(id, (one) => {
        const gone = [...(one.charge === null ? [] : [one.charge]), ...one.candidates].filter((charge) => charge.sequence === sequence);
        rejected.set(id, [...(rejected.get(id) ?? []), ...gone]);
        return { ...one, charge: one.charge?.sequence === sequence ? null : one.charge, candidates: one.candidates.filter((charge) => charge.sequence !== sequence) };
      });
      return answer();
    },
    simulateRun: async (request, overBudget) => {
      const run = await simulate(request, overBudget);
      if (run.status === 'ok') {
        const one = add(request);
        change(one.estimate_id, () => ({ ...one, charge: charge(one.expected_credits, 500 + made, NOW, Number(one.expected_credits), 'simulated') }));
      }
      return run;
    },
  };
}
