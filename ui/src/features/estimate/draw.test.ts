import { describe, expect, test } from 'vitest';
import type { DrawRowView, DrawView } from '../../backend';
import { credits, nano, shareBp } from './decimal';
import { layDraw, ribbon } from './draw';

const NOW = Date.parse('2026-11-20T13:00:00Z');

function row(order: number, left: string, takes: string, days: number): DrawRowView {
  return {
    order,
    batch_id: `b${order}`,
    source: 'eth_purchase',
    expires: new Date(NOW + days * 86_400_000).toISOString(),
    left_credits: left,
    takes_credits: takes,
    stays_credits: credits(nano(left) - nano(takes)),
    takes_bp: 0,
    week: Math.min(4, Math.floor(days / 7) + 1),
  };
}

const draw = (rows: DrawRowView[]): DrawView => ({ rows, stays_credits: '0', stays_usd: '0', short_credits: '0' });

describe('sums for the picture', () => {
  test.each(['0', '0.55', '0.000000001', '9007199254740993.000000001'])('%s comes back whole', (text) => expect(credits(nano(text))).toBe(text));
  test('a difference keeps its sign', () => expect(credits(nano('0.1') - nano('0.3'))).toBe('-0.2'));
  test('shares', () => {
    expect(shareBp(1n, 3n)).toBe(3333);
    expect(shareBp(4n, 3n)).toBe(10_000);
    expect(shareBp(0n, 0n)).toBe(0);
  });
});

describe('the picture', () => {
  test('a bite and what stays fill the slab, and slabs do not touch', () => {
    const { slabs } = layDraw(draw([row(1, '100', '40', 3), row(2, '300', '0', 20)]), NOW);
    expect(slabs.map((slab) => slab.stays)).toEqual(['60', '300']);
    const [first, second] = slabs;
    expect(first && second && first.top + first.bite + first.rest <= second.top).toBe(true);
    expect(second?.bite).toBe(0);
  });

  test('a batch that is used up leaves nothing', () => {
    const { slabs } = layDraw(draw([row(1, '44310.45', '44310.45', 3)]), NOW);
    expect(slabs[0]?.rest).toBe(0);
  });

  test('however small, a bite can be seen', () => {
    const { slabs } = layDraw(draw([row(1, '100000', '0.000000001', 3)]), NOW);
    expect(slabs[0]?.bite).toBeGreaterThanOrEqual(6);
    expect(slabs[0]?.stays).toBe('99999.999999999');
  });

  test('the batches beyond the fourth stand as one, with all that is taken from them', () => {
    const rows = [1, 2, 3, 4, 5, 6].map((order) => row(order, '10', '10', order * 4));
    const { slabs, more } = layDraw(draw(rows), NOW);
    expect(slabs).toHaveLength(5);
    expect(more).toBe(2);
    expect(slabs[4]).toMatchObject({ order: 0, stays: '0', rest: 0 });
  });

  test('the ribbons enter the run one below the other', () => {
    const { slabs, runTop, runHeight } = layDraw(draw([row(1, '50', '50', 3), row(2, '50', '20', 9)]), NOW);
    const [first, second] = slabs;
    expect(first && second && second.flowTop >= first.flowTop + first.bite).toBe(true);
    expect(second && second.flowTop + second.bite <= runTop + runHeight).toBe(true);
    expect(slabs.map((slab) => ribbon(slab, 64)).join()).not.toContain('NaN');
  });

  test('no batches, no slabs', () => expect(layDraw(draw([]), NOW).slabs).toEqual([]));
});
