/** What is said of balance, age and clocks when nothing was heard for days, a clock is wrong, or the computer slept. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DISPLAY, recordedView, type Scenario } from '../recorded/backend';
import { app } from '../src/state/app.svelte';
import { byTestId, missing, openWindow, textOf } from './window';

const CLOCK = /\d\d:\d\d/;

/** The words of a place in the window, with times of day taken out. */
const said = (window: HTMLElement, id: string): string => textOf(byTestId(window, id)).replaceAll(new RegExp(CLOCK, 'g'), 'HH:MM');

afterEach(() => (DISPLAY.language = 'en'));

describe.each([
  [
    'en',
    {
      known: 'as known at HH:MM on 20 Nov, 4 d ago',
      notCounted: '4 days of daily credits since then, 4,000 in all, are not in it.',
      runs: 'Runs since HH:MM on 20 Nov and daily credits are not counted. Buying needs a connection.',
      line: 'As known at HH:MM on 20 Nov',
      atMost: 'At most',
      behind: 'This computer’s clock is 1 d behind the service. Ends and countdowns here follow the service.',
      ahead: 'This computer’s clock is 10 min ahead of the service. Ends and countdowns here follow the service.',
      live: 'Live, synced HH:MM',
    },
  ],
  [
    'zh-Hans',
    {
      known: '截至 11月20日 HH:MM 的数据，4 天前',
      notCounted: '此后 4 天的每日积分（共 4,000）未计入。',
      runs: '11月20日 HH:MM 之后的运行和每日积分未计入。购买需要联网。',
      line: '截至 11月20日 HH:MM 的数据',
      atMost: '至多',
      behind: '这台电脑的时钟比服务慢 1 天。这里的到期时间和倒计时以服务为准。',
      ahead: '这台电脑的时钟比服务快 10 分。这里的到期时间和倒计时以服务为准。',
      live: '在线，HH:MM 已同步',
    },
  ],
] as const)('in %s', (language, words) => {
  const open = async (scenario: Scenario): Promise<HTMLElement> => {
    DISPLAY.language = language;
    return await openWindow(scenario);
  };

  test.each<Scenario>(['offline-days', 'awake'])('%s: a ceiling of then, with its day and what is not in it', async (scenario) => {
    const window = await open(scenario);
    expect(textOf(byTestId(window, 'balance-state'))).toBe(words.atMost);
    expect(said(window, 'known-at')).toBe(words.known);
    expect(said(window, 'not-counted')).toBe(words.notCounted);
    expect(said(window, 'connection')).toBe(words.line);
    const ticket = window.querySelector('.departure');
    expect(ticket && textOf(ticket).replaceAll(new RegExp(CLOCK, 'g'), 'HH:MM')).toContain(words.runs);
    expect(missing(window, 'at-risk')).toBe(true);
    expect(missing(window, 'offline-band')).toBe(scenario === 'awake');
  });

  test('clock-back: the clock is told of in days', async () => {
    const window = await open('clock-back');
    expect(textOf(byTestId(window, 'notice-clock_skewed'))).toBe(words.behind);
    expect(textOf(byTestId(window, 'balance-state'))).toBe(words.atMost);
    expect(missing(window, 'not-counted')).toBe(true);
  });

  test('clock-off: a calm word, and figures that are live', async () => {
    const window = await open('clock-off');
    expect(textOf(byTestId(window, 'notice-clock_skewed'))).toBe(words.ahead);
    expect(said(window, 'connection')).toBe(words.live);
    expect(missing(window, 'offline-band')).toBe(true);
  });
});

describe('the clock that countdowns run by', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    app.view = null;
    app.accept(recordedView('live'));
  });
  afterEach(() => vi.useRealTimers());

  test('does not go back with the clock of this computer', () => {
    const told = app.now;
    vi.advanceTimersByTime(60_000);
    app.tick();
    expect(app.now - told).toBe(60_000);
    vi.setSystemTime(Date.now() - 86_400_000);
    vi.advanceTimersByTime(1000);
    app.tick();
    expect(app.now - told).toBe(61_000);
  });

  test('goes on while the computer sleeps', () => {
    const told = app.now;
    vi.setSystemTime(Date.now() + 3 * 3_600_000);
    app.tick();
    expect(app.now - told).toBe(3 * 3_600_000);
  });
});
