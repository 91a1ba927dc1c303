import { recordedBackend, type Scenario } from '../recorded/backend';
import type { Backend } from '../src/backend';

/** What the recorded backend answered: each text with the name of its field. */
export type Said = Map<string, Set<string>>;

function texts(value: unknown, field: string, into: Said): void {
  if (typeof value === 'string') into.set(value, (into.get(value) ?? new Set()).add(field));
  else if (Array.isArray(value)) value.forEach((one) => texts(one, field, into));
  else if (typeof value === 'object' && value !== null) Object.entries(value).forEach(([name, one]) => texts(one, name, into));
}

/** The recorded backend, and all that it answers. */
export function listening(scenario: Scenario): { calls: Backend; said: Said } {
  const said: Said = new Map();
  const calls = Object.entries(recordedBackend(scenario)).map(([name, call]) => [
    name,
    (...given: unknown[]) => {
      const answer: unknown = (call as (...all: unknown[]) => unknown)(...given);
      void Promise.resolve(answer).then((value) => texts(value, '', said), () => undefined);
      return answer;
    },
  ]);
  return { calls: Object.fromEntries(calls) as Backend, said };
}

/** Every text that a person sees or hears below an element, each with where it stands. */
export function heard(root: Element): { text: string; where: string; element: Element }[] {
  return [...root.querySelectorAll('*')]
    .filter((element) => element.closest('script, style') === null)
    .flatMap((element) => {
      const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.nodeValue ?? '');
      const named = ['aria-label', 'title', 'alt', 'placeholder', 'aria-description', 'aria-valuetext'].map((name) => element.getAttribute(name) ?? '');
      const where = `<${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}">`;
      return [...own, ...named].filter((text) => text.trim() !== '').map((text) => ({ text: text.trim(), where, element }));
    });
}
