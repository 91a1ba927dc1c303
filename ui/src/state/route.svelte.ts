/** Which screen shows. */
export const SCREENS = ['overview', 'batches', 'estimate', 'buy', 'usage', 'settings'] as const;

export type Screen = (typeof SCREENS)[number];
export type Route = 'onboarding' | Screen;
/** Sections of the settings, from the top. */
export const SETTINGS_SECTIONS = ['account', 'wallet', 'network', 'reminders', 'look', 'privacy', 'data'] as const;
export type SettingsSection = (typeof SETTINGS_SECTIONS)[number];

class RouteState {
  current = $state<Route>('onboarding');
  previous = $state<Route | null>(null);
  /** The order whose payment's page shows within Buy; none shows the purchase. */
  payment = $state<string | null>(null);
  /** The section of the settings that was asked for, until it is shown. */
  section = $state<SettingsSection | null>(null);
  /** The batch that was asked for, until it is shown. */
  batch = $state<string | null>(null);
  /** The number of the entry of the log that was asked for, until it is shown. */
  entry = $state<string | null>(null);
}

export const route = new RouteState();

export const toTop = (): void => document.getElementById('main')?.scrollTo?.(0, 0);

/** Shows a screen, from its top. */
export function go(name: Route): void {
  if (route.payment !== null) {
    route.payment = null;
    toTop();
  }
  if (route.current === name) return;
  route.previous = route.current;
  route.current = name;
  toTop();
}

/** Shows the page of one payment. */
export function goPayment(orderId: string): void {
  if (route.current !== 'buy') go('buy');
  route.payment = orderId;
  toTop();
}

/** Shows one batch among the others. */
export function goBatch(batchId: string): void {
  go('batches');
  route.batch = batchId;
}

/** Shows one entry of the log. */
export function goEntry(sequence: string): void {
  go('usage');
  route.entry = sequence;
}

/** Shows a section of the settings. */
export function goSettings(section: SettingsSection): void {
  go('settings');
  route.section = section;
}

/** Shows what showed before; false when nothing did. */
export function back(): boolean {
  if (route.current === 'buy' && route.payment !== null) {
    route.payment = null;
    toTop();
    return true;
  }
  if (route.previous === null) return false;
  route.current = route.previous;
  route.previous = null;
  return true;
}
