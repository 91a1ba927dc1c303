/**
 * Where the specs of the main flows are played: plain Chromium on the recorded backend, or the app's real window. The specs know no difference: they ask for relations between
 * what stands on the page, never for figures of one account.
 */
import { readFileSync } from 'node:fs';
import { test as base, expect } from '@playwright/test';
import { ringShows } from '../focus';
import { chromium } from './chromium';
import type { Driver, Start } from './driver';
import { RealWindow } from './real-window';

export { expect };

export type Screen = 'overview' | 'batches' | 'estimate' | 'buy' | 'usage' | 'settings';

const AXE = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** The element of a test id, or of a selector that says more than one. */
export const id = (testId: string, more = ''): string => `[data-testid="${testId}"]${more}`;
/** What a hand clicks for a radio or a switch, which is drawn by its label. */
export const labelOf = (testId: string): string => `label:has([data-testid="${testId}"])`;

export class Stage {
  constructor(private readonly driver: Driver) {}

  /** Opens a state anew on a screen of a roomy window. */
  async open(start: Start, screen?: Screen): Promise<void> {
    await this.size(1440, 900);
    await this.driver.open(start);
    if (start === 'signed-out') await this.there(id('onboarding-sign-in'));
    else await this.there(id('nav-overview'));
    if (screen !== undefined) await this.go(screen);
  }

  /** Opens a screen with the mouse. */
  async go(screen: Screen): Promise<void> {
    await this.click(id(`nav-${screen}`));
    await this.isAt(screen);
  }

  async isAt(screen: Screen): Promise<void> {
    await this.says(() => this.attribute(id(`nav-${screen}`), 'aria-current')).toBe('page');
    await this.says(() => this.count('main .skeleton')).toBe(0);
  }

  /** Something that is read until it is as it should be. */
  says<T>(read: () => Promise<T>) {
    return expect.poll(read, { timeout: 30_000, intervals: [50, 100, 200] });
  }

  click(selector: string, nth = 0): Promise<void> {
    return this.driver.click(selector, nth);
  }

  /** Presses keys together: `Control+k`. */
  press(chord: string): Promise<void> {
    return this.driver.press(chord.split('+'));
  }

  type(text: string): Promise<void> {
    return this.driver.type(text);
  }

  /** Puts text in the place of what a field holds. */
  async fill(selector: string, text: string): Promise<void> {
    await this.click(selector);
    await this.retype(text);
  }

  /** Puts text in the place of what the field with the focus holds. */
  async retype(text: string): Promise<void> {
    await this.press('Control+a');
    if (text === '') await this.press('Backspace');
    else await this.type(text);
  }

  size(width: number, height: number): Promise<void> {
    return this.driver.size(width, height);
  }

  run<A, T>(script: (argument: A) => T | Promise<T>, argument: A): Promise<T> {
    return this.driver.run(script, argument);
  }

  async there(selector: string): Promise<void> {
    await this.says(() => this.count(selector)).toBeGreaterThan(0);
  }

  async gone(selector: string): Promise<void> {
    await this.says(() => this.count(selector)).toBe(0);
  }

  count(selector: string): Promise<number> {
    return this.run((wanted) => document.querySelectorAll(wanted).length, selector);
  }

  /** What each element of a selector says, as it is drawn, with single spaces. */
  texts(selector: string): Promise<string[]> {
    return this.run((wanted) => [...document.querySelectorAll<HTMLElement>(wanted)].map((one) => one.innerText.replace(/\s+/gu, ' ').trim()), selector);
  }

  /** What the first element of a selector says; it has to be there. */
  async text(selector: string): Promise<string> {
    await this.there(selector);
    return (await this.texts(selector))[0] ?? '';
  }

  attribute(selector: string, name: string): Promise<string | null> {
    return this.run(([wanted, of]) => document.querySelector(wanted)?.getAttribute(of) ?? null, [selector, name] as const);
  }

  /** What stands in a field. */
  value(selector: string): Promise<string | null> {
    return this.run((wanted) => document.querySelector<HTMLInputElement>(wanted)?.value ?? null, selector);
  }

  /** Whether a radio or a switch is on. */
  isOn(testId: string): Promise<boolean> {
    return this.run((wanted) => document.querySelector<HTMLInputElement>(wanted)?.checked === true, id(testId));
  }

  /** A drawing or anything else as it is put together, to see whether it changes. */
  drawn(selector: string): Promise<string> {
    return this.run((wanted) => [...document.querySelectorAll(wanted)].map((one) => one.innerHTML).join('\n'), selector);
  }

  /** Whether a field has the focus; its caret shows it. */
  async hasCaret(selector: string): Promise<void> {
    await this.says(() => this.run((wanted) => document.activeElement?.matches(wanted) ?? false, selector)).toBe(true);
  }

  /** Whether an element has the focus, and a person sees that it has. */
  async hasFocus(selector: string): Promise<void> {
    await this.hasCaret(selector);
    expect(await this.focusShows(), `focus shows on ${selector}`).toBe(true);
  }

  /** Goes on with Tab until the element has the focus. */
  async tabTo(selector: string, most = 120): Promise<void> {
    await this.there(selector);
    for (let step = 0; step < most; step += 1) {
      if (await this.run((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
      await this.press('Tab');
      const isSomewhere = await this.run(() => document.activeElement !== document.body && document.hasFocus(), null);
      if (isSomewhere) expect(await this.focusShows(), `focus shows on ${await this.focused()}`).toBe(true);
    }
    throw new Error(`${selector} is not reached with ${most} tabs; the focus is on ${await this.focused()}`);
  }

  /** What has the focus, for messages. */
  focused(): Promise<string> {
    return this.run(() => {
      const on = document.activeElement;
      return `<${on?.tagName.toLowerCase() ?? 'nothing'} ${on?.getAttribute('data-testid') ?? on?.id ?? ''}> ${on?.textContent?.trim().slice(0, 40) ?? ''}`;
    }, null);
  }

  private focusShows(): Promise<boolean> {
    return this.run(ringShows, null);
  }

  /** Asserts that axe finds nothing, once nothing moves. */
  async passesAxe(): Promise<void> {
    await this.run(async () => {
      await document.fonts.ready;
      const moving = (): boolean => document.getAnimations().some((one) => one.playState === 'running' && one.effect?.getComputedTiming().iterations !== Infinity);
      for (let frame = 0; frame < 60 && moving(); frame += 1) await new Promise((next) => requestAnimationFrame(next));
    }, null);
    await this.driver.load(`${AXE}\n;window.axe = axe;`);
    const found = await this.run(async () => {
      type Found = { violations: { id: string; nodes: { target: string[] }[] }[] };
      const { axe } = globalThis as unknown as { axe: { run: (context: object, options: object) => Promise<Found> } };
      // The frame is the shell's own and holds no page.
      const { violations } = await axe.run({ exclude: ['#__tauri_isolation__'] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
      return violations.flatMap(({ id: rule, nodes }) => nodes.map(({ target }) => `${rule}: ${target.join(' ')}`));
    }, null);
    expect(found, 'axe').toEqual([]);
  }

  async end(): Promise<void> {
    expect(await this.driver.faults(), 'faults in the page').toEqual([]);
    // What leads to a place may scroll the screen, never the frame that it is in.
    const moved = await this.run(() => [...document.querySelectorAll('html, body, .frame, .stage')].map((one) => one.scrollTop), null);
    expect(moved.every((by) => by === 0), `the frame has moved: ${moved.join()}`).toBe(true);
  }
}

const driver = process.env['STAGE_DRIVER'];
const session = process.env['STAGE_SESSION'];

/** A test of a spec, with its stage. */
export const test =
  driver === undefined || session === undefined
    ? base.extend<{ stage: Stage }>({
        stage: async ({ page }, use) => {
          const stage = new Stage(await chromium(page));
          await use(stage);
          await stage.end();
        },
      })
    : base.extend<{ stage: Stage }>({
        // Playwright wants the braces.
        // eslint-disable-next-line no-empty-pattern
        stage: async ({}, use) => {
          const stage = new Stage(new RealWindow(driver, session));
          await use(stage);
          await stage.end();
        },
      });
