/** Every action with its words and its keys: the handler of keys, the palette and the list behind `?` read this one table. Nothing here signs or pays. */
import { m } from '../i18n';
import { SCREENS, type Screen } from './route.svelte';

/**
 * Keys of an action: `Ctrl` (on a Mac ⌘) and `Shift`, then one key. A letter is written small.
 * Keys that act in a drawing only are listed and left to it.
 */
export type Chord = readonly string[];

export interface Action {
  id: string;
  label: () => string;
  chord?: Chord;
  /** Its keys write nothing, so that they also work while a field has the focus. */
  inFields?: true;
  /** Not to be found in the palette: it is a way of moving about. */
  keysOnly?: true;
  /** Part of the list behind `?`. */
  group: 'go' | 'do' | 'here';
}

const GO: Record<Screen, () => string> = {
  overview: () => m.shell_overview(),
  batches: () => m.shell_batches(),
  estimate: () => m.shell_estimate(),
  buy: () => m.shell_buy(),
  usage: () => m.shell_usage(),
  settings: () => m.shell_settings(),
};

const sections = SCREENS.map((screen, index) => ({ id: `go_${screen}` as const, label: GO[screen], chord: [`${index + 1}`], group: 'go' as const }));

/** In the order of the list behind `?`. */
export const ACTIONS = [
  ...sections,
  { id: 'estimate', label: m.action_estimate, chord: ['e'], group: 'go', keysOnly: true },
  { id: 'buy', label: m.action_buy, chord: ['b'], group: 'go', keysOnly: true },
  { id: 'palette', label: m.action_palette, chord: ['Ctrl', 'k'], group: 'do', inFields: true, keysOnly: true },
  { id: 'sync', label: m.action_sync, chord: ['Ctrl', 'r'], group: 'do' },
  { id: 'hide_amounts', label: m.action_hide_amounts, chord: ['Ctrl', 'h'], group: 'do' },
  { id: 'accounts', label: m.action_accounts, chord: ['Ctrl', 'Shift', 'a'], group: 'do' },
  { id: 'calendar_file', label: m.action_calendar_file, chord: ['Ctrl', 'Shift', 'c'], group: 'do' },
  { id: 'theme_light', label: m.action_theme_light, group: 'do' },
  { id: 'theme_dark', label: m.action_theme_dark, group: 'do' },
  { id: 'theme_system', label: m.action_theme_system, group: 'do' },
  { id: 'tour', label: m.action_tour, group: 'do' },
  { id: 'search', label: m.action_search, chord: ['/'], group: 'here', keysOnly: true },
  { id: 'table_twin', label: m.action_table_twin, chord: ['Shift', 't'], group: 'here' },
  { id: 'copy_price', label: m.action_copy_price, chord: ['Ctrl', 'Enter'], group: 'here', inFields: true },
  { id: 'back', label: m.action_back, chord: ['Escape'], group: 'here', keysOnly: true },
  { id: 'shortcuts', label: m.action_shortcuts, chord: ['?'], group: 'do' },
] as const satisfies readonly Action[];

export type ActionId = (typeof ACTIONS)[number]['id'];
export const actions: readonly (Action & { id: ActionId })[] = ACTIONS;

/** Keys that a drawing acts on while it has the focus. */
export const DRAWING_KEYS: readonly { chord: Chord; label: () => string }[] = [
  { chord: ['←', '→'], label: m.keys_day },
  { chord: ['Shift', '←', '→'], label: m.keys_end },
];

const isMac = (): boolean => /mac/i.test(globalThis.navigator?.platform ?? '');

/** The keys of a chord as they are printed on the keyboard. */
export function keyNames(chord: Chord): string[] {
  const mac = isMac();
  return chord.map((key) => {
    if (key === 'Ctrl') return mac ? '⌘' : 'Ctrl';
    if (key === 'Shift') return mac ? '⇧' : 'Shift';
    if (key === 'Escape') return 'Esc';
    return key.length === 1 ? key.toUpperCase() : key;
  });
}

/** The chord of an event; none for what types or belongs to the system. */
export function chordOf(event: KeyboardEvent): Chord | null {
  if (event.altKey || event.isComposing) return null;
  const mod = isMac() ? event.metaKey : event.ctrlKey;
  if (!mod && (event.ctrlKey || event.metaKey)) return null;
  const key = latin(event);
  const isLetter = /^[a-z]$/.test(key);
  // Which keys need Shift for ? or a digit depends on the keyboard; for letters and named keys it is part of the chord.
  const shift = event.shiftKey && (isLetter || key.length > 1);
  return [...(mod ? ['Ctrl'] : []), ...(shift ? ['Shift'] : []), key];
}

/** A letter by its place where the keyboard writes another script. */
function latin(event: KeyboardEvent): string {
  if (event.key.length !== 1) return event.key;
  const place = /^Key([A-Z])$/.exec(event.code)?.[1];
  return (/[^ -~]/.test(event.key) && place !== undefined ? place : event.key).toLowerCase();
}

/** The action of a chord. */
export const actionOf = (chord: Chord): (Action & { id: ActionId }) | undefined => actions.find((one) => one.chord?.join() === chord.join());
