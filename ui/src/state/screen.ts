import type { AppView } from '../backend';
import type { Route, Screen } from './route.svelte';

/** What the window shows: the welcome, a screen, or that it is still asking. */
export type Shown = Route | 'loading';

const WITHOUT_ACCOUNT: Route[] = ['estimate', 'buy', 'settings'];

/** A person without an account sees the welcome, unless they chose something that needs none or a payment is under way. */
export function shownScreen(view: AppView | null, asked: Route): Shown {
  if (view === null) return 'loading';
  switch (view.session.kind) {
    case 'signed_out':
      if (WITHOUT_ACCOUNT.includes(asked)) return asked;
      return view.payment === null ? 'onboarding' : 'buy';
    case 'unknown':
      if (view.account === null && !WITHOUT_ACCOUNT.includes(asked)) return 'loading';
      return asked === 'onboarding' ? 'overview' : asked;
    case 'signed_in':
    case 'by_hand':
    case 'key_unavailable':
      return asked === 'onboarding' ? 'overview' : asked;
  }
}

/** Whether this screen's place is taken by the page that says the key cannot be read. */
export function keyPageInstead(view: AppView, screen: Screen): boolean {
  if (view.session.kind !== 'key_unavailable') return false;
  if (screen === 'overview') return true;
  return view.account === null && (screen === 'batches' || screen === 'usage');
}
