/** Which screen shows. */
export const SCREENS = ['overview', 'batches', 'estimate', 'buy', 'usage', 'settings'] as const;

export type Screen = (typeof SCREENS)[number];
export type Route = 'onboarding' | Screen;

class RouteState {
  current = $state<Route>('onboarding');
  previous = $state<Route | null>(null);
}

export const route = new RouteState();

/** Shows a screen, from its top. */
export function go(name: Route): void {
  if (route.current === name) return;
  route.previous = route.current;
  route.current = name;
  document.getElementById('main')?.scrollTo?.(0, 0);
}

/** Shows what showed before; false when nothing did. */
export function back(): boolean {
  if (route.previous === null) return false;
  route.current = route.previous;
  route.previous = null;
  return true;
}
