import { describe, expect, test } from 'vitest';
import { account, BATCHES, NOW } from '../../../recorded/model';
import { risk } from './risk';

const base = account(BATCHES);
const at = (hours: number) => new Date(NOW + hours * 3_600_000).toISOString();
const of = (ends: { at: string; credits: string }[]) => ({ ...base, at_risk: { credits: '4440', usd: '0.444', days: 7, ends } });

describe('credits at risk in words', () => {
  test('one day is named', () => {
    expect(risk(of([{ at: at(80), credits: '1840' }]), NOW)).toEqual({ what: 'About 1,840 credits lapse on Monday', unless: 'unless used, worth $0.44.', parts: [] });
    expect(risk(of([{ at: at(24), credits: '1840' }]), NOW)?.what).toBe('About 1,840 credits lapse tomorrow');
    expect(risk(of([{ at: at(2), credits: '1840' }]), NOW)?.what).toMatch(/^About 1,840 credits lapse today at \d\d:02$/);
    // A week ahead the weekday is today's own.
    expect(risk(of([{ at: at(167), credits: '1840' }]), NOW)?.what).toBe('About 1,840 credits lapse on Fri 27 Nov');
  });

  test('several ends of a day are one, several days are told apart', () => {
    const parts = [{ at: at(2), credits: '1000' }, { at: at(80), credits: '840' }, { at: at(81), credits: '2600' }];
    const said = risk(of(parts), NOW);
    expect(said).toEqual({ what: 'About 4,440 credits lapse within 7 days', unless: 'unless used, worth $0.44:', parts: ['1,000 today', '3,440 on Monday'] });
    expect(risk(of(parts.slice(1)), NOW)?.what).toBe('About 3,440 credits lapse on Monday');
  });

  test('what lapses later is said with its date, and nothing when all is used', () => {
    const later = base.next_end && { ...base.next_end, expires: at(24 * 12) };
    expect(risk({ ...base, at_risk: null, next_end: later }, NOW)?.what).toBe('About 14,350 credits lapse on Wed 2 Dec');
    expect(risk({ ...base, at_risk: null, next_end: later && { ...later, lapse_credits: null } }, NOW)).toBeNull();
    expect(risk({ ...base, at_risk: null, next_end: null }, NOW)).toBeNull();
  });
});
