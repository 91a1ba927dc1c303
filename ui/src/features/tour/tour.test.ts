import { fireEvent } from '@testing-library/svelte';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { byTestId, faults, missing, openWindow, textOf } from '../../../tests/window';
import { act, canAct } from '../../state/actions.svelte';
import { route } from '../../state/route.svelte';
import { STOPS, tour } from './tour.svelte';
import './TourCard.svelte';
import '../batches/BatchesScreen.svelte';
import '../buy/BuyScreen.svelte';
import '../estimate/EstimateScreen.svelte';
import '../usage/UsageScreen.svelte';

vi.setConfig({ testTimeout: 60_000 });

const until = <T>(check: () => T): Promise<Awaited<T>> => Promise.resolve(vi.waitFor(check, 20_000));
const card = () => until(() => byTestId(document.body, 'tour'));
const marked = () => document.querySelector('[data-tour]');

afterEach(() => tour.end());

test('is offered to whoever looks around, covers nothing, and can be put away', async () => {
  const window = await openWindow('signed-out', 'onboarding');
  await fireEvent.click(byTestId(window, 'onboarding-look-around'));
  const offer = await until(() => byTestId(window, 'tour-offer'));
  expect(offer.closest('main')).not.toBeNull();
  await fireEvent.click(offer.querySelector('.iconbtn') ?? offer);
  await until(() => expect(missing(window, 'tour-offer')).toBe(true));
});

test('walks past real things and ends where it began', async () => {
  const window = await openWindow('sandbox');
  const from = byTestId(window, 'nav-settings');
  from.focus();
  act('tour');
  const next = async () => fireEvent.click(byTestId(await card(), 'tour-next'));
  const screens: string[] = [];
  for (const [index, stop] of STOPS.entries()) {
    await until(() => expect(byTestId(document.body, 'tour').dataset['stop']).toBe(`${index}`));
    await until(() => expect(marked()?.matches(stop.at), stop.at).toBe(true));
    expect(document.querySelectorAll('[data-tour]')).toHaveLength(1);
    expect(textOf(await card())).toContain(`${index + 1} of ${STOPS.length}`);
    screens.push(route.current);
    await next();
  }
  expect(screens).toEqual(STOPS.map(({ screen }) => screen));
  await until(() => expect(missing(document.body, 'tour')).toBe(true));
  expect(marked()).toBeNull();
  expect(document.activeElement).toBe(from);
});

describe('holds nobody', () => {
  test('keys and places work while it is shown', async () => {
    const window = await openWindow('sandbox');
    act('tour');
    await card();
    await fireEvent.keyDown(document.body, { key: '5' });
    expect(route.current).toBe('usage');
    await fireEvent.click(byTestId(window, 'nav-buy'));
    expect(route.current).toBe('buy');
  });

  test('Escape within it ends it', async () => {
    await openWindow('sandbox');
    act('tour');
    const shown = await card();
    await until(() => expect(document.activeElement).toBe(byTestId(shown, 'tour-next')));
    await fireEvent.keyDown(document.activeElement ?? shown, { key: 'Escape' });
    await until(() => expect(missing(document.body, 'tour')).toBe(true));
  });

  test('what is not there is spoken of without pointing', async () => {
    await openWindow('empty');
    act('tour');
    await fireEvent.click(byTestId(await card(), 'tour-next'));
    await fireEvent.click(byTestId(await card(), 'tour-next'));
    expect(textOf(await card())).toContain('Oldest first');
    expect(marked()).toBeNull();
  });
});

test('is begun again from the settings', async () => {
  const window = await openWindow('sandbox', 'settings');
  await fireEvent.click(byTestId(window, 'guide-tour'));
  await card();
  expect(route.current).toBe('overview');
});

test('walks nowhere without an account', async () => {
  await openWindow('signed-out', 'onboarding');
  expect(canAct('tour')).toBe(false);
});

test('axe finds nothing', async () => {
  await openWindow('sandbox');
  act('tour');
  await card();
  expect(await faults(document.body)).toEqual([]);
});
