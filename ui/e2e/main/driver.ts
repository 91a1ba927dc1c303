/** What a spec needs of a window, whichever it is. Everything else is read by scripts in the page. */

/** A state of the account that a spec starts from. */
export type Start = 'sandbox' | 'signed-out';

export interface Driver {
  /** Shows the first screen of a state anew. */
  open(start: Start): Promise<void>;
  /** Runs a function in the page; it sees nothing but its argument. */
  run<A, T>(script: (argument: A) => T | Promise<T>, argument: A): Promise<T>;
  /** Runs source that the page's policy would not let in as a script. */
  load(source: string): Promise<void>;
  /** Clicks with the mouse, as soon as the element takes it. */
  click(selector: string, nth: number): Promise<void>;
  /** Presses keys one after the other; each is held down while the next go down: `Control`, `k`. */
  press(keys: string[]): Promise<void>;
  /** Types into what has the focus. */
  type(text: string): Promise<void>;
  /** Sets the size of the window. */
  size(width: number, height: number): Promise<void>;
  /** Errors that the page has raised. */
  faults(): Promise<string[]>;
}
