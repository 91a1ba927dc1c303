/** The view that comes within the page, so that the first frame waits for no question and no answer. Rust writes it (`src-tauri/src/known.rs`). */
import type { AppView } from '../backend';

const ID = 'known';

/** What the page was served with; nothing where it came as it was built. */
export function knownView(document: Document): AppView | null {
  const text = document.getElementById(ID)?.textContent;
  return text ? (JSON.parse(text) as AppView) : null;
}
