import type { TerraceView } from '../backend';
import { creditsShort, localAndUtc } from '../format';
import { m } from '../i18n';
import { sourceName } from './source';

/** Longer lists are read in the table. */
const SAID = 8;

/** The terrace in sentences, for people who do not see it. */
export function describe(terrace: TerraceView): string {
  if (terrace.slabs.length === 0) return m.terrace_says_nothing();
  const sentences = terrace.slabs.slice(0, SAID).flatMap((slab) => [
    m.terrace_says_slab({
      credits: creditsShort(slab.credits),
      source: slab.ghost ? m.terrace_new() : sourceName(slab.source),
      when: localAndUtc(slab.expires),
    }),
    ...(slab.lapse_credits === null ? [] : [m.terrace_says_lapse({ credits: creditsShort(slab.lapse_credits) })]),
  ]);
  if (terrace.empty_at !== null) sentences.push((terrace.daily_credits === null ? m.terrace_says_empty : m.terrace_says_used_up)({ when: localAndUtc(terrace.empty_at) }));
  return sentences.join(' ');
}
