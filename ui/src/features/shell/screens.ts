/** The screens' code: each is read when it is first needed, or ahead of that while nothing else happens. */
import type { Component } from 'svelte';
import type { Screen } from '../../state/route.svelte';

type Read = () => Promise<{ default: Component }>;

export const screens: Record<Screen | 'onboarding', Read> = {
  onboarding: () => import('../onboarding/OnboardingScreen.svelte'),
  overview: () => import('../overview/OverviewScreen.svelte'),
  batches: () => import('../batches/BatchesScreen.svelte'),
  estimate: () => import('../estimate/EstimateScreen.svelte'),
  buy: () => import('../buy/BuyScreen.svelte'),
  usage: () => import('../usage/UsageScreen.svelte'),
  settings: () => import('../settings/SettingsScreen.svelte'),
};

/** The start is over, and a person has not looked further yet. */
const QUIET_MS = 1000;
/** Between two screens, for whatever else wants to happen. */
const BREATH_MS = 50;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Reads every screen's code, one after the other, so that none is waited for when it is opened. What cannot be read now is tried again when it is needed. */
export async function readAhead(): Promise<void> {
  await pause(QUIET_MS);
  for (const read of Object.values(screens)) {
    await read().catch(() => undefined);
    await pause(BREATH_MS);
  }
}
