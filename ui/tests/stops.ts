/** Where the checks of every screen stop: a recorded state, a screen, and what is clicked there first. */
import { fireEvent } from '@testing-library/svelte';
import { vi } from 'vitest';
import { SCREENS } from '../scripts/screens.mjs';

export type Step = (window: HTMLElement) => Promise<void>;

/** Clicks what has this test id, as soon as it is there. */
export const click = (id: string, nth = 0): Step =>
  Object.assign(
    async () => {
      const found = await vi.waitFor(() => {
        const element = document.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)[nth];
        if (element === undefined || element.hasAttribute('disabled')) throw new Error(`nothing to click has data-testid ${id}`);
        return element;
      });
      await fireEvent.click(found);
      await new Promise((resolve) => setTimeout(resolve, 60));
    },
    { toString: () => id, toJSON: () => id },
  );

export interface Stop {
  scenario: string;
  screen: string;
  steps: Step[];
}

const plain: Stop[] = SCREENS.map((one: string) => {
  const [scenario = '', screen = ''] = one.split(':');
  return { scenario, screen: screen === '' ? 'onboarding' : screen, steps: [] };
});

const opened: Stop[] = [
  { scenario: 'sandbox', screen: 'settings', steps: [click('reveal-key')] },
  { scenario: 'sandbox', screen: 'settings', steps: [click('sign-out')] },
  { scenario: 'sandbox', screen: 'buy', steps: [click('buy-review')] },
  { scenario: 'sandbox', screen: 'settings', steps: [click('wallet-receive')] },
  { scenario: 'sandbox', screen: 'settings', steps: [click('export-keystore')] },
  { scenario: 'sandbox', screen: 'settings', steps: [click('remove-wallet')] },
  { scenario: 'sandbox', screen: 'settings', steps: [click('edit-nodes')] },
  { scenario: 'new-wallet', screen: 'settings', steps: [click('save-words')] },
  { scenario: 'no-wallet', screen: 'settings', steps: [click('wallet-create')] },
  { scenario: 'no-wallet', screen: 'settings', steps: [click('wallet-import')] },
  { scenario: 'owing', screen: 'overview', steps: [] },
  { scenario: 'locked-new', screen: 'overview', steps: [] },
  { scenario: 'offline-never', screen: 'overview', steps: [] },
  { scenario: 'prefill-low', screen: 'overview', steps: [] },
];

export const STOPS: Stop[] = [...plain, ...opened];

/** An element that is in no document. */
export const NOWHERE = document.createElement('div');
