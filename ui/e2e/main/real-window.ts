/** The app's real window, by a WebDriver session that somebody else has opened and will close. */
import type { Driver, Start } from './driver';

/** As W3C WebDriver names an element in JSON. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';
const KEYS: Record<string, string> = {
  Backspace: '\uE003', Tab: '\uE004', Enter: '\uE007', Shift: '\uE008', Control: '\uE009', Escape: '\uE00C', Space: ' ', PageUp: '\uE00E', PageDown: '\uE00F', End: '\uE010', Home: '\uE011',
  ArrowLeft: '\uE012', ArrowUp: '\uE013', ArrowRight: '\uE014', ArrowDown: '\uE015', Delete: '\uE017',
};
const STEP_MS = 30_000;
/** A machine that does other work is slow to answer. */
const CALL_MS = 30_000;

type Handle = Record<typeof ELEMENT, string>;
type Stroke = { type: 'keyDown' | 'keyUp'; value: string };

const TRAP = `
  window.__faults = [];
  addEventListener('error', (e) => window.__faults.push(String(e.message)));
  addEventListener('unhandledrejection', (e) => window.__faults.push(String(e.reason)));
  addEventListener('securitypolicyviolation', (e) => window.__faults.push('csp: ' + e.violatedDirective + ' ' + e.blockedURI));
`;

const byId = (id: string): string => `[data-testid="${id}"]`;
const DOOR = byId('onboarding-look-around');

/** Tries until it goes well. */
async function until(what: string, attempt: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + STEP_MS;
  let last: unknown = 'not yet';
  while (Date.now() < end) {
    try {
      if (await attempt()) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: ${String(last)}`);
}

export class RealWindow implements Driver {
  readonly #session: string;

  constructor(driver: string, session: string) {
    this.#session = `${driver.replace(/\/$/, '')}/session/${session}`;
  }

  /** Every spec starts from a page that is loaded anew, and from an account that is signed in or out by hand. */
  async open(start: Start): Promise<void> {
    await this.#anew();
    await this.#there(`${DOOR}, ${byId('nav-settings')}`);
    const isOut = await this.#has(DOOR);
    if (!isOut) await this.#asUsual();
    if ((start === 'signed-out') === isOut) return;
    if (isOut) {
      await this.click(DOOR, 0);
      await this.#there(byId('balance'));
    } else {
      for (const id of ['nav-settings', 'sign-out', 'sign-out-confirm']) await this.click(byId(id), 0);
      await this.#there(DOOR);
    }
    await this.#anew();
  }

  /** A spec that failed may have left the window as no other one expects it. */
  async #asUsual(): Promise<void> {
    if (await this.#has(byId('hide-amounts') + '[aria-pressed="true"]')) await this.click(byId('hide-amounts'), 0);
    const isChanged = await this.run(() => document.documentElement.lang !== 'en' || document.documentElement.dataset['theme'] === 'dark', null);
    if (isChanged) for (const id of ['nav-settings', 'language-en', 'settings-theme-light']) await this.click(byId(id), 0);
  }

  run<A, T>(script: (argument: A) => T | Promise<T>, argument: A): Promise<T> {
    return this.#script<T>(`return (${script.toString()})(arguments[0]);`, argument);
  }

  load(source: string): Promise<void> {
    return this.#script(source);
  }

  click(selector: string, nth: number): Promise<void> {
    return until(`clicking ${selector}`, async () => {
      const one = (await this.#call<Handle[]>('POST', 'elements', { using: 'css selector', value: selector }))[nth];
      if (one === undefined || !(await this.#call<boolean>('GET', `element/${one[ELEMENT]}/enabled`))) return false;
      await this.#call('POST', `element/${one[ELEMENT]}/click`, {});
      return true;
    });
  }

  async press(keys: string[]): Promise<void> {
    const values = keys.map((key) => KEYS[key] ?? key);
    await this.#strokes([...values.map((value): Stroke => ({ type: 'keyDown', value })), ...values.toReversed().map((value): Stroke => ({ type: 'keyUp', value }))]);
  }

  async type(text: string): Promise<void> {
    for (const value of text) await this.#strokes([{ type: 'keyDown', value }, { type: 'keyUp', value }]);
  }

  async size(width: number, height: number): Promise<void> {
    await this.#call('POST', 'window/rect', { x: 0, y: 0, width, height });
  }

  faults(): Promise<string[]> {
    return this.#script('return window.__faults ?? [];');
  }

  async #anew(): Promise<void> {
    await this.#call('POST', 'refresh', {});
    await this.#there('main');
    await this.#script(TRAP);
  }

  #has(selector: string): Promise<boolean> {
    return this.run((wanted) => document.querySelector(wanted) !== null, selector);
  }

  #there(selector: string): Promise<void> {
    return until(`${selector} to be there`, () => this.#has(selector));
  }

  async #strokes(actions: Stroke[]): Promise<void> {
    await this.#call('POST', 'actions', { actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  async #script<T>(body: string, ...args: unknown[]): Promise<T> {
    const script = `const done = arguments[arguments.length - 1]; (async () => { ${body} })().then((value) => done({ value: value ?? null }), (error) => done({ error: String(error) }));`;
    const { value, error } = await this.#call<{ value: T; error?: string }>('POST', 'execute/async', { script, args });
    if (error !== undefined) throw new Error(error);
    return value;
  }

  async #call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const answer = await fetch(`${this.#session}/${path}`, { method, ...sent, signal: AbortSignal.timeout(CALL_MS) });
    const { value } = (await answer.json()) as { value: T };
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(value)}`);
    return value;
  }
}
