import { describe, expect, test } from 'vitest';
import { BATCHES, terraceOf } from '../../recorded/model';
import { layTerrace, paceLabelPlace, segments } from './terrace';

const terrace = terraceOf(BATCHES);

describe('the terrace', () => {
  const laid = layTerrace(terrace.slabs, 220, false);

  test('stacks from the top down to the base line', () => {
    for (const [index, slab] of laid.entries()) {
      const below = laid[index + 1];
      if (below) expect(slab.y + slab.tall).toBeLessThanOrEqual(below.y + 1);
    }
    expect((laid.at(-1)?.y ?? 0) + (laid.at(-1)?.tall ?? 0)).toBeLessThanOrEqual(220.7);
  });

  test('words of neighbours do not touch', () => {
    const lines = laid.flatMap(({ label, slab }) => (label === null ? [] : [label.y, label.riskY].flatMap((y) => (y === null ? [] : [{ y, from: slab.width_bp }]))));
    for (const one of lines) {
      for (const other of lines) {
        if (one !== other && Math.abs(one.from - other.from) < 4500) expect(Math.abs(one.y - other.y)).toBeGreaterThanOrEqual(13);
      }
    }
    expect(lines.length).toBeGreaterThan(4);
  });

  test('a lapse stays within its slab', () => {
    const late = laid.find(({ lapseTall }) => lapseTall > 0);
    expect(late?.slab.batch_id).toBe('b25');
    expect(late && late.lapseY).toBeGreaterThanOrEqual(late?.y ?? 0);
  });

  test('a narrow panel has words beside a slab only where there is room for them', () => {
    for (const { slab, label } of layTerrace(terrace.slabs.map((slab) => ({ ...slab, lapse_bp: slab.height_bp, lapse_credits: slab.credits })), 180, true)) {
      if (label?.where === 'out') expect(slab.width_bp).toBeLessThan(6200);
      if (label?.where === 'out' && label.dated) expect(slab.width_bp).toBeLessThanOrEqual(5000);
    }
  });

  test('what is too little to be drawn is not named, and words beside a low slab stay above the next one', () => {
    const slabs = terrace.slabs.map((slab, index) => (index === 0 ? { ...slab, bottom_bp: 9999, height_bp: 1, lapse_bp: 1 } : slab));
    const [least, ...others] = layTerrace(slabs, 220, false);
    expect(least?.label).toBeNull();
    for (const { y, tall, label } of others) {
      if (label?.where === 'out' && tall < 14) expect(label.y).toBeLessThan(y + tall);
      if (label?.riskY != null && label.where === 'out') expect(label.riskY).toBeLessThan(y + tall + 1);
    }
  });

  test('the words of the pace line stand on no amber and on no other words', () => {
    const late = terrace.slabs.map((slab) => ({ ...slab, width_bp: 8000, lapse_bp: slab.height_bp, lapse_credits: slab.credits }));
    expect(paceLabelPlace([{ x_bp: 0, y_bp: 9000 }, { x_bp: 9000, y_bp: 9000 }, { x_bp: 9300, y_bp: 0 }], layTerrace(late, 220, false), 220)).toBeNull();
  });

  test('a fall at one instant is a drop, not pace', () => {
    const drops = segments(terrace.pace, 220).filter(({ drop }) => drop);
    expect(drops).toHaveLength(1);
  });

  test('a hundred thin batches keep their words apart', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({
      id: `m${index}`, source: 'eth_purchase', added: Date.parse('2026-10-21T15:00:00Z') + index * 25_000_000, granted: 100_000, used: 0,
    }));
    const labels = layTerrace(terraceOf(many).slabs, 220, false).flatMap(({ label, slab }) => (label === null ? [] : [{ y: label.y, from: slab.width_bp }]));
    for (const one of labels) {
      for (const other of labels) if (one !== other && Math.abs(one.from - other.from) < 4500) expect(Math.abs(one.y - other.y)).toBeGreaterThanOrEqual(13);
    }
  });
});
