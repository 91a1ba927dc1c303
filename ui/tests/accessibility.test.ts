import { expect, test } from 'vitest';
import type { Scenario } from '../recorded/backend';
import type { Route } from '../src/state/route.svelte';
import { faults, openLoading, openWindow } from './window';

const SCREENS: [Scenario, Route][] = [
  ['sandbox', 'overview'],
  ['live', 'overview'],
  ['fresh', 'overview'],
  ['empty', 'overview'],
  ['owing', 'overview'],
  ['offline', 'overview'],
  ['offline-never', 'overview'],
  ['notices', 'overview'],
  ['locked', 'overview'],
  ['locked-new', 'batches'],
  ['sandbox', 'batches'],
  ['at-risk', 'overview'],
  ['many-batches', 'batches'],
  ['empty', 'batches'],
  ['offline', 'batches'],
  ['sandbox', 'usage'],
  ['empty', 'usage'],
  ['sandbox', 'estimate'],
  ['signed-out', 'estimate'],
  ['sandbox', 'buy'],
  ['signed-out', 'buy'],
  ['paying', 'buy'],
  ['paid', 'buy'],
  ['mixed-price', 'buy'],
  ['no-wallet', 'buy'],
  ['many-payments', 'buy'],
  ['pay-browser-by-hand', 'buy'],
  ['pay-connect-starting', 'buy'],
  ['pay-connect-asked', 'buy'],
  ['pay-link-expired', 'buy'],
  ['pay-card', 'buy'],
  ['paying-replaced', 'buy'],
  ['paying-held', 'buy'],
  ['abandoned', 'buy'],
  ['sandbox', 'settings'],
  ['no-wallet', 'settings'],
  ['new-wallet', 'settings'],
  ['sick-nodes', 'settings'],
  ['signed-out', 'onboarding'],
];

test.each(SCREENS)('axe finds nothing: %s, %s', async (scenario, screen) => {
  expect(await faults(await openWindow(scenario, screen))).toEqual([]);
}, 90_000);

test.each<Scenario>(['loading', 'unknown'])('axe finds nothing while %s', async (scenario) => {
  expect(await faults(await openLoading(scenario))).toEqual([]);
}, 90_000);
