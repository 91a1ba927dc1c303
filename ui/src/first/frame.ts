/**
 * The first frame of a start: the last known balance, where it is going to stand. It needs neither words nor a library, so that it is
 * there while the app's scripts are still being read. Whatever would move the balance, or say something else of it, leaves it to the app.
 */
import type { AppView } from '../backend';
import { AT_LEAST_TWO, balanceClasses, decimalMarkOf, figure, FLOOR, MASK, partsOf } from '../format/figure';
import { formatsOf, localeOf } from '../i18n/locale';
import { mark } from '../state/mark';
import { keyPageInstead, shownScreen } from '../state/screen';

const ID = 'first';
/** A frame comes sooner, or the window is not to be seen. */
const LONGEST_MS = 250;

/** Its figure in two parts, the second to be dimmed; nothing where the app opens with something else than the balance. */
export function firstFigure(view: AppView, formats: string): { whole: string; fraction: string; digits: number } | null {
  const { account } = view;
  const isOverview = shownScreen(view, 'onboarding') === 'overview' && !keyPageInstead(view, 'overview');
  const isAlone = view.notices.length === 0 && view.prefill === null && view.led === null && view.connection.state !== 'offline';
  if (account === null || !isOverview || !isAlone) return null;
  const value = account.available_credits;
  const hidden = view.settings.display.hide_amounts;
  const parts = hidden ? { whole: MASK, fraction: '' } : partsOf(figure(formats, value, AT_LEAST_TWO), decimalMarkOf(formats));
  if (!account.at_most) return { ...parts, digits: parts.whole.length + parts.fraction.length };
  return { whole: hidden ? MASK : figure(formats, value, FLOOR), fraction: '', digits: 0 };
}

/** Draws it over the empty page; false when there is none. */
export function drawFirst(document: Document, view: AppView): boolean {
  const locale = localeOf(view.settings.display.language);
  const found = firstFigure(view, formatsOf(locale));
  if (found === null) return false;
  mark(document.documentElement, locale, view);
  const element = (tag: string, classes: string, ...inside: (Node | string)[]): HTMLElement => {
    const made = document.createElement(tag);
    made.className = classes;
    made.append(...inside);
    return made;
  };
  const space = '\u00a0';
  const exact = element('data', '', found.whole, document.createElement('wbr'), element('span', 'balance__dec', found.fraction));
  const balance = element('p', balanceClasses(found.digits).filter(Boolean).join(' '), exact);
  const hero = element('div', 'hero', element('div', 'hero__balance', element('div', 'label', space), balance));
  const page = element('div', 'main', element('div', 'wrap', hero));
  const stage = element('div', 'stage', element('div', 'top top--quiet'), page);
  const frame = element('div', 'frame', element('div', 'rail'), stage);
  const bands = view.profile.kind === 'sandbox' ? [element('div', 'band band--sandbox', space)] : [];
  const first = element('div', 'app first', ...bands, frame);
  first.id = ID;
  first.setAttribute('aria-hidden', 'true');
  document.body.append(first);
  return true;
}

/** Takes it away. */
export const clearFirst = (document: Document): void => document.getElementById(ID)?.remove();

/** The next frame is on the screen. A window that cannot be seen may have none: it is not waited for long. */
export const painted = (): Promise<void> =>
  new Promise((resolve) => {
    const late = setTimeout(resolve, LONGEST_MS);
    requestAnimationFrame(() => {
      clearTimeout(late);
      setTimeout(resolve);
    });
  });
