import { afterEach, describe, expect, test, vi } from 'vitest';
import { act, canAct, registerAction } from './actions.svelte';
import { ACTIONS, actions, chordOf, keyNames } from './action-table';
import { pressed } from './shortcuts';

const ends: (() => void)[] = [];
const done: string[] = [];
const register = (id: Parameters<typeof registerAction>[0], run: () => unknown = () => done.push(id)): void => void ends.push(registerAction(id, run));
const key = (name: string, more: KeyboardEventInit = {}): KeyboardEvent => new KeyboardEvent('keydown', { key: name, ...more });

/** The event of a key pressed in an element. */
function keyIn(element: HTMLElement, name: string, more: KeyboardEventInit = {}): KeyboardEvent {
  document.body.append(element);
  const event = key(name, { bubbles: true, ...more });
  element.dispatchEvent(event);
  return event;
}

afterEach(() => {
  ends.splice(0).forEach((end) => end());
  done.length = 0;
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

test('no two actions share an id or keys', () => {
  const chords = actions.flatMap(({ chord }) => (chord === undefined ? [] : [chord.join('+')]));
  expect(new Set(chords).size).toBe(chords.length);
  expect(new Set(ACTIONS.map(({ id }) => id)).size).toBe(ACTIONS.length);
});

test.each(actions.filter(({ chord, id }) => chord !== undefined && id !== 'back').map((one) => [one.id, one.chord ?? []] as const))('the keys of %s do it, and nothing else', (id, chord) => {
  for (const one of ACTIONS) register(one.id);
  const name = chord.at(-1) ?? '';
  const shift = chord.includes('Shift');
  expect(pressed(key(shift ? name.toUpperCase() : name, { ctrlKey: chord.includes('Ctrl'), shiftKey: shift }))).toBe(true);
  expect(done).toEqual([id]);
});

describe('registering', () => {
  test('the newest counts, and what is left counts again when it ends', () => {
    register('sync', () => done.push('old'));
    const end = registerAction('sync', () => done.push('new'));
    act('sync');
    end();
    act('sync');
    expect(done).toEqual(['new', 'old']);
  });

  test('what nobody registered is not there', () => {
    expect(canAct('hide_amounts')).toBe(false);
    expect(pressed(key('h', { ctrlKey: true }))).toBe(false);
    register('hide_amounts');
    expect(canAct('hide_amounts')).toBe(true);
  });
});

describe('a key is left alone', () => {
  test.each([
    ['with Alt', key('b', { altKey: true })],
    ['with the wrong modifier', key('b', { ctrlKey: true })],
    ['while characters are composed', key('b', { isComposing: true })],
  ])('%s', (_, event) => {
    for (const one of ACTIONS) register(one.id);
    expect(pressed(event)).toBe(false);
    expect(done).toEqual([]);
  });

  test('in a dialog', () => {
    register('sync');
    const dialog = document.body.appendChild(document.createElement('div'));
    dialog.setAttribute('role', 'dialog');
    expect(pressed(key('r', { ctrlKey: true }))).toBe(false);
  });

  test('held down: it acts once', () => {
    register('sync');
    expect(pressed(key('r', { ctrlKey: true, repeat: true }))).toBe(true);
    expect(done).toEqual([]);
  });
});

describe('in a field', () => {
  test.each(['input', 'textarea', 'select'])('letters, numbers and chords stay with a %s', (tag) => {
    for (const one of ACTIONS) register(one.id);
    for (const one of ['b', 'e', '1', '/', '?']) expect(pressed(keyIn(document.createElement(tag), one))).toBe(false);
    expect(pressed(keyIn(document.createElement(tag), 'h', { ctrlKey: true }))).toBe(false);
    expect(done).toEqual([]);
  });

  test('the page is not loaded anew under it', () => {
    register('sync');
    expect(pressed(keyIn(document.createElement('input'), 'r', { ctrlKey: true }))).toBe(true);
    expect(done).toEqual([]);
  });

  test('the palette opens and the price is copied', () => {
    register('palette');
    register('copy_price');
    pressed(keyIn(document.createElement('input'), 'k', { ctrlKey: true }));
    pressed(keyIn(document.createElement('input'), 'Enter', { ctrlKey: true }));
    expect(done).toEqual(['palette', 'copy_price']);
  });

  test('Escape leaves it first', () => {
    register('back');
    const field = document.createElement('input');
    document.body.append(field);
    field.focus();
    expect(pressed(keyIn(field, 'Escape'))).toBe(true);
    expect(document.activeElement).not.toBe(field);
    expect(done).toEqual([]);
    pressed(key('Escape'));
    expect(done).toEqual(['back']);
  });

  test('a tick box is no field', () => {
    register('buy');
    const box = document.createElement('input');
    box.type = 'checkbox';
    expect(pressed(keyIn(box, 'b'))).toBe(true);
  });
});

test('keys are read by their place where they write another script', () => {
  expect(chordOf(key('л', { code: 'KeyK', ctrlKey: true }))).toEqual(['Ctrl', 'k']);
  expect(chordOf(key('z', { code: 'KeyY', ctrlKey: true }))).toEqual(['Ctrl', 'z']);
});

test('on a Mac it is ⌘', () => {
  vi.stubGlobal('navigator', { platform: 'MacIntel' });
  expect(chordOf(key('k', { metaKey: true }))).toEqual(['Ctrl', 'k']);
  expect(chordOf(key('k', { ctrlKey: true }))).toBeNull();
  expect(keyNames(['Ctrl', 'Shift', 'c'])).toEqual(['⌘', '⇧', 'C']);
});
