import { afterEach, describe, expect, test, vi } from 'vitest';
import { recordedView, SCENARIOS, type Scenario } from '../../recorded/backend';
import { nearest } from '../i18n/locale';
import { baseLocale } from '#messages/runtime';
import { clearFirst, drawFirst, firstFigure, painted } from './frame';

const viewOf = (scenario: Scenario) => recordedView(scenario);
const drawn = (): HTMLElement | null => document.querySelector('.first .balance');

afterEach(() => clearFirst(document));

describe('the first frame', () => {
  test.each([
    ['sandbox', '245,310', '.45'],
    ['empty', '0', '.00'],
  ] as const)('of %s is the balance as it is', (scenario, whole, fraction) => {
    expect(drawFirst(document, viewOf(scenario))).toBe(true);
    expect(drawn()?.textContent).toBe(whole + fraction);
    expect(drawn()?.querySelector('.balance__dec')?.textContent).toBe(fraction);
  });

  test('hides what is hidden, and writes as the person does', () => {
    const view = viewOf('sandbox');
    const hidden = { ...view, settings: { ...view.settings, display: { ...view.settings.display, hide_amounts: true, language: 'zh-Hans' as const } } };
    drawFirst(document, hidden);
    expect(drawn()?.textContent).toBe('•••••');
    expect(document.documentElement.lang).toBe('zh-Hans');
  });

  test('is left to the app where the app opens with something else', () => {
    for (const scenario of ['signed-out', 'signed-out-live', 'locked', 'locked-new', 'loading', 'notices', 'prefill-low', 'offline', 'offline-never'] as const) {
      expect(firstFigure(viewOf(scenario), 'en-GB'), scenario).toBeNull();
      expect(drawFirst(document, viewOf(scenario)), scenario).toBe(false);
    }
    expect(drawn()).toBeNull();
  });

  test('says no less than the account has digits for', () => {
    for (const scenario of SCENARIOS) {
      const view = viewOf(scenario);
      const found = firstFigure(view, 'en-GB');
      if (found === null || view.account === null || view.account.at_most) continue;
      expect((found.whole + found.fraction).replaceAll(',', ''), scenario).toContain(view.account.available_credits.split('.')[0]);
    }
  });

  test('is not waited for in a window without frames', async () => {
    vi.spyOn(globalThis, 'requestAnimationFrame').mockReturnValue(1);
    await expect(painted()).resolves.toBeUndefined();
  });

  test('speaks the catalogue\'s own language when nothing is asked for', () => expect(nearest([])).toBe(baseLocale));
});
