/** As much of everything as the app has to hold: thirty-three live batches, sums of ten digits, long words. */
import type { AppView } from '../src/backend/bindings';
import { account, DAY, LIFE, NOW, USAGE, type Batch } from './model';

const SOURCES = ['eth_purchase', 'card_purchase', 'grant', 'daily_renewal', 'eth_purchase'];
const LONG = 'For the outage of the European image cluster between 10 and 11 November, agreed on the telephone';

/** One a day, the sizes far apart: a few hold nearly everything, most next to nothing. */
export const EXTREME: Batch[] = Array.from({ length: 33 }, (_, index) => ({
  id: `x${index}`,
  source: SOURCES[index % SOURCES.length] ?? 'grant',
  added: NOW - LIFE + 3_600_000 + Math.floor((index * (LIFE - 7_200_000)) / 33),
  granted: index % 8 === 3 ? 123_456_789_012 + index : 10_000 * (index + 1) + 7,
  used: index === 0 ? 9_000 : 0,
  ...(index % 5 === 2 ? { note: LONG } : {}),
}));

const runs = Array.from({ length: 40 }, (_, index) => {
  const row = USAGE[index % USAGE.length];
  return row === undefined ? [] : [{ ...row, entry_id: `x-${index}`, sequence: String(100_000 - index), at: new Date(NOW - index * 7_200_000).toISOString().replace('.000Z', 'Z'), change_credits: index % 7 === 0 ? '-1234567890.123456789' : row.change_credits }];
}).flat();

/** What differs from the usual. */
export const extreme = (usual: AppView): Partial<AppView> => ({
  account: { ...account(EXTREME, { usage: runs, beside: { held: '987654321.5', debt: '2150.5', daily: '1000000' } }) },
  connection: { ...usual.connection, last_sync: new Date(NOW - 3 * DAY).toISOString().replace('.000Z', 'Z') },
});
