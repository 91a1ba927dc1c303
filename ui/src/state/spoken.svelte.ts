/** What a reader of the screen says for a masked amount: a word, not five bullets. */
import { MASK } from '../format/figure';
import { privacy } from '../format/privacy.svelte';
import { m } from '../i18n';

const MARK = 'data-masked';
/** These may carry a name of their own and stay what they are. */
const NAMED = ['TD', 'TH', 'DD', 'LI', 'BUTTON', 'A', 'H1', 'H2', 'H3', 'H4', 'TIME', 'OPTION'];
const ATTRIBUTES = ['aria-label', 'title', 'alt', 'aria-description', 'aria-valuetext', 'placeholder'];

/** A text with a word in the place of each mask. */
export const spoken = (text: string): string => text.replaceAll(MASK, m.common_hidden_amount());

function name(element: Element): void {
  for (const attribute of ATTRIBUTES) {
    const value = element.getAttribute(attribute);
    if (value?.includes(MASK)) element.setAttribute(attribute, spoken(value));
  }
  const text = element.textContent ?? '';
  const hasOwn = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.nodeValue?.includes(MASK));
  if (!hasOwn || element.closest('svg, [aria-hidden="true"]') !== null) return;
  if (element.querySelector('a, button, input, select') !== null) return;
  const isNew = !element.hasAttribute('aria-label');
  if (!isNew && !element.hasAttribute(MARK)) return;
  if (!NAMED.includes(element.tagName)) element.setAttribute('role', element.getAttribute('role') ?? 'img');
  element.setAttribute('aria-label', spoken(text.replace(/\s+/g, ' ').trim()));
  element.setAttribute(MARK, '');
}

function unname(root: Element): void {
  for (const element of root.querySelectorAll(`[${MARK}]`)) {
    if (element.getAttribute('role') === 'img') element.removeAttribute('role');
    element.removeAttribute('aria-label');
    element.removeAttribute(MARK);
  }
}

/** Names every masked amount below an element for as long as amounts are hidden; to be called in an effect. */
export function nameMasked(root: Element): (() => void) | undefined {
  if (!privacy.hidden) return undefined;
  const all = () => {
    observer.disconnect();
    for (const element of root.querySelectorAll('*')) name(element);
    observer.observe(root, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
  };
  const observer = new MutationObserver(all);
  all();
  return () => {
    observer.disconnect();
    unname(root);
  };
}
